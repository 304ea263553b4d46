// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them. Unknown is a dash, never 0.

const NB = "\u00a0";
const BYTES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** At most three digits that mean something: 0.12, 1.23, 12.3, 123. */
function digits(v) {
	const a = Math.abs(v);
	if (a >= 99.95 || a === 0) return v.toFixed(0);
	if (a >= 9.995) return v.toFixed(1);
	return v.toFixed(a < 0.01 ? 3 : 2);
}

const trim = (s) => (s.includes(".") ? s.replace(/\.?0+$/, "") : s);

function bytes(v) {
	let i = 0;
	while (Math.abs(v) >= 999.5 && i < BYTES.length - 1) {
		v /= 1024;
		i++;
	}
	return (i === 0 ? v.toFixed(0) : digits(v)) + NB + BYTES[i];
}

function count(v) {
	const a = Math.abs(v);
	if (a >= 1e9) return digits(v / 1e9) + NB + "G";
	if (a >= 1e6) return digits(v / 1e6) + NB + "M";
	if (a >= 1e4) return digits(v / 1e3) + NB + "k";
	return Number.isInteger(v) ? String(v) : digits(v);
}

function shortTime(v) {
	const a = Math.abs(v);
	if (a === 0) return "0" + NB + "s";
	if (a < 1e-3) return digits(v * 1e6) + NB + "µs";
	if (a < 1) return digits(v * 1e3) + NB + "ms";
	if (a < 120) return digits(v) + NB + "s";
	return duration(v);
}

/** 59 s, 12 min, 3 h 20 min, 5 d 4 h, 2 y 30 d: two parts at most. */
export function duration(seconds) {
	if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
	const s = Math.max(0, Math.floor(seconds));
	const parts = [
		[31536000, "y"],
		[86400, "d"],
		[3600, "h"],
		[60, "min"],
		[1, "s"],
	];
	const first = parts.findIndex(([size]) => s >= size);
	if (first < 0) return "0" + NB + "s";
	const [size, name] = parts[first];
	let text = Math.floor(s / size) + NB + name;
	const next = parts[first + 1];
	const rest = next ? Math.floor((s % size) / next[0]) : 0;
	if (rest > 0 && name !== "min") text += NB + rest + NB + next[1];
	return text;
}

/* One digit after the point; two where that would look like nothing. */
function percent(v) {
	const a = Math.abs(v);
	return v.toFixed(a >= 99.95 ? 0 : a > 0 && a < 0.095 ? 2 : 1);
}

/** A value with its unit, for texts and tables. */
export function format(v, unit) {
	if (v === null || v === undefined || !Number.isFinite(v)) return "–";
	switch (unit) {
		case "percent":
			return percent(v) + NB + "%";
		case "bytes":
			return bytes(v);
		case "bytes_per_second":
			return bytes(v) + "/s";
		case "per_second":
			return count(v) + "/s";
		case "seconds":
			return shortTime(v);
		case "cores":
			return trim(digits(v)) + NB + (v === 1 ? "core" : "cores");
		case "celsius":
			return v.toFixed(1) + NB + "°C";
		case "boolean":
			return v >= 0.5 ? "yes" : "no";
		default:
			return count(v);
	}
}

/** The same for an axis: no zeros after the point. */
export function formatTick(v, unit) {
	if (unit === "boolean") return v === 0 ? "no" : v === 1 ? "yes" : "";
	if (v === 0) return "0";
	if (unit === "percent") return trim(digits(v)) + NB + "%";
	if (unit === "celsius") return trim(v.toFixed(1)) + NB + "°C";
	return format(v, unit).replace(/\.?0+(?=\u00a0|\/|$)/, (m) => (m.startsWith(".") ? "" : m));
}

const two = (n) => String(n).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** 14:05:20 today, else 3 Feb 14:05, with the year when it is another one. */
export function clock(unix, now = Date.now() / 1000) {
	const d = new Date(unix * 1000);
	const n = new Date(now * 1000);
	const time = `${two(d.getHours())}:${two(d.getMinutes())}`;
	if (d.toDateString() === n.toDateString()) return `${time}:${two(d.getSeconds())}`;
	const year = d.getFullYear() === n.getFullYear() ? "" : ` ${d.getFullYear()}`;
	return `${d.getDate()} ${MONTHS[d.getMonth()]}${year} ${time}`;
}

/** The same without seconds, for what is planned by the minute. */
export const minute = (unix, now) => clock(unix, now).replace(/^(\d\d:\d\d):\d\d$/, "$1");

/** Label of the time axis; dygraphs chose the place. */
export function timeTick(ms, granularity) {
	const d = new Date(ms);
	if (granularity >= Dygraph.Granularity.MONTHLY) return `${MONTHS[d.getMonth()]} ${d.getFullYear()}`;
	const midnight = d.getHours() + d.getMinutes() + d.getSeconds() === 0;
	if (midnight || granularity >= Dygraph.Granularity.DAILY) return `${d.getDate()} ${MONTHS[d.getMonth()]}`;
	const seconds = d.getSeconds() ? `:${two(d.getSeconds())}` : "";
	return `${two(d.getHours())}:${two(d.getMinutes())}${seconds}`;
}
