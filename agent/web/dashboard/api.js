// SPDX-License-Identifier: Apache-2.0
// The HTTP API (agent/web/API.md) from the browser's side. An ended session leads to the login page, whoever asked.

export class ApiError extends Error {
	constructor(status, text) {
		super(text);
		this.status = status;
	}
}

/** Goes to the login page and comes back to this place afterwards. */
export function toLogin() {
	sessionStorage.setItem("agent.next", location.hash);
	location.replace("/login");
}

export const get = (path, signal) => ask(path, { signal, headers: { Accept: "application/json" }, cache: "no-store" });

/** `body` is what goes as JSON. */
export const post = (path, body) =>
	ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const remove = (path) => ask(path, { method: "DELETE" });

async function ask(path, options) {
	const answer = await fetch(path, options);
	if (answer.status === 401) {
		toLogin();
		throw new ApiError(401, "the session has ended");
	}
	if (!answer.ok) throw new ApiError(answer.status, await errorText(answer));
	return answer.json();
}

export async function errorText(answer) {
	try {
		return (await answer.json()).error ?? answer.statusText;
	} catch {
		return `${answer.status} ${answer.statusText}`;
	}
}

/** Trades a token for the session cookie. */
export function signIn(token) {
	return fetch("/api/v1/session", {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ token }),
	});
}

export async function signOut() {
	await fetch("/api/v1/session", { method: "DELETE" });
	sessionStorage.removeItem("agent.next");
	location.replace("/login");
}

/** The token of a link like http://host:4500/#token=..., taken out of the address at once. */
export function takeToken() {
	const found = /^#token=(.+)$/.exec(location.hash);
	if (!found) return null;
	history.replaceState(null, "", location.pathname);
	try {
		return decodeURIComponent(found[1]);
	} catch {
		return found[1];
	}
}

export function entities(classes, signal) {
	const query = classes.map((c) => `class=${encodeURIComponent(c)}`).join("&");
	return get(`/api/v1/entities?${query}`, signal);
}

const URL_MAX = 7000; // the server takes 8 KiB
const VALUES_MAX = 400000;
const ENTITIES_MAX = 200;
const METRICS_MAX = 30;

/** One history of many entities with the same metrics, in as few requests as the limits of the API allow. */
export async function series({ entities: names, metrics, from, to, points, how }, signal) {
	const out = new Map();
	for (let m = 0; m < metrics.length; m += METRICS_MAX) {
		const some = metrics.slice(m, m + METRICS_MAX);
		const tail = `metric=${some.join(",")}&from=${Math.floor(from)}&to=${Math.ceil(to)}&points=${points}&how=${how}`;
		for (const part of chunks(names, tail.length, Math.floor(VALUES_MAX / (some.length * points)))) {
			const query = part.map((e) => `entity=${encodeURIComponent(e)}`).join("&");
			const answer = await get(`/api/v1/series?${query}&${tail}`, signal);
			answer.series.forEach((s) => join(out, s));
		}
	}
	return [...out.values()];
}

/* The rest of the metrics of an entity, on the times that its first answer has. */
function join(out, s) {
	const first = out.get(s.entity);
	if (!first) {
		out.set(s.entity, s);
		return;
	}
	const rows = first.values[0]?.length ?? 0;
	const shift = s.start === null ? 0 : Math.round((first.start - s.start) / (first.step || 1));
	first.metrics.push(...s.metrics);
	first.values.push(...s.values.map((v) => Array.from({ length: rows }, (_, i) => v[i + shift] ?? null)));
}

function chunks(names, used, most) {
	const out = [[]];
	let length = used;
	for (const name of names) {
		const add = encodeURIComponent(name).length + 8;
		const last = out[out.length - 1];
		if (last.length && (last.length >= Math.min(most, ENTITIES_MAX) || length + add > URL_MAX)) {
			out.push([name]);
			length = used + add;
		} else {
			last.push(name);
			length += add;
		}
	}
	return out[0].length ? out : [];
}
