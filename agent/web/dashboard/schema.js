// SPDX-License-Identifier: Apache-2.0
// The metric tables of GET /api/v1/classes: names, units, titles and documentation of all that is measured.

import { get } from "/assets/api.js";

export class Schema {
	constructor(classes) {
		this.classes = classes;
		this.byName = new Map(classes.map((c) => [c.name, c]));
		this.metrics = new Map();
		for (const c of classes) {
			for (const m of c.metrics) this.metrics.set(`${c.name}.${m.name}`, m);
		}
	}

	static async load() {
		return new Schema((await get("/api/v1/classes")).classes);
	}

	class(name) {
		return this.byName.get(name) ?? null;
	}

	metric(cls, name) {
		return this.metrics.get(`${cls}.${name}`) ?? null;
	}

	/** Only what has a history can be drawn. */
	stored(cls, name) {
		return this.metric(cls, name)?.stored === true;
	}
}
