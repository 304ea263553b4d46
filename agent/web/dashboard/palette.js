// SPDX-License-Identifier: Apache-2.0
// The colours of the charts come from the style sheet, so that each theme has its own. They stay apart for people who
// see few colours: neighbours differ in brightness too, and from the ninth series on lines are dashed.

const COLORS = 8;
let cache = null;

const read = () => {
	const style = getComputedStyle(document.documentElement);
	const get = (name) => style.getPropertyValue(name).trim();
	return {
		series: Array.from({ length: COLORS }, (_, i) => get(`--c${i + 1}`)),
		grid: get("--grid"),
		axis: get("--axis"),
		limit: get("--bad"),
		bad: get("--bad"),
		warn: get("--warn"),
		faint: get("--faint"),
	};
};

export const palette = () => (cache ??= read());

/** Colour of a series: a number 0.. from the row of colours, or a name like "faint". */
export const color = (c) => (typeof c === "number" ? palette().series[c % COLORS] : palette()[c]);
export const dash = (index) => (index >= COLORS ? [5, 3] : null);

const THEMES = ["auto", "light", "dark"];

/** Theme switch: calls `changed` whenever the colours did. */
export class Theme {
	constructor(changed) {
		this.changed = changed;
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
	}

	get current() {
		return document.documentElement.dataset.theme ?? "auto";
	}

	next() {
		const theme = THEMES[(THEMES.indexOf(this.current) + 1) % THEMES.length];
		if (theme === "auto") delete document.documentElement.dataset.theme;
		else document.documentElement.dataset.theme = theme;
		try {
			if (theme === "auto") localStorage.removeItem("agent.theme");
			else localStorage.setItem("agent.theme", theme);
		} catch {
			// Storage is forbidden: the choice lasts as long as the page.
		}
		this.repaint();
	}

	repaint() {
		cache = null;
		this.changed();
	}
}
