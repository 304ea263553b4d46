// SPDX-License-Identifier: Apache-2.0
// How the series of a chart are drawn, as plotters of dygraphs. Points that are unknown break a line: a gap is a gap.

const known = (p) => p.canvasy !== null && !Number.isNaN(p.canvasy);

/** Calls f(first, last + 1) for each stretch of points without a gap. */
function stretches(points, f) {
	let from = -1;
	for (let i = 0; i <= points.length; i++) {
		const good = i < points.length && known(points[i]);
		if (good && from < 0) from = i;
		if (!good && from >= 0) {
			f(from, i);
			from = -1;
		}
	}
}

function trace(ctx, points, from, to, first) {
	for (let i = from; i < to; i++) {
		if (i === from && first) ctx.moveTo(points[i].canvasx, points[i].canvasy);
		else ctx.lineTo(points[i].canvasx, points[i].canvasy);
	}
}

function traceBack(ctx, points, from, to, floor) {
	for (let i = to - 1; i >= from; i--) {
		const y = points[i] && known(points[i]) ? points[i].canvasy : floor;
		ctx.lineTo(points[i]?.canvasx, y);
	}
}

export function line(e, color, { dash = null, width = 1.5 } = {}) {
	const ctx = e.drawingContext;
	ctx.strokeStyle = color;
	ctx.fillStyle = color;
	ctx.lineWidth = width;
	ctx.lineJoin = "round";
	ctx.setLineDash(dash ?? []);
	stretches(e.points, (from, to) => {
		ctx.beginPath();
		if (to - from === 1) ctx.arc(e.points[from].canvasx, e.points[from].canvasy, 1.5, 0, 7);
		else trace(ctx, e.points, from, to, true);
		if (to - from === 1) ctx.fill();
		else ctx.stroke();
	});
	ctx.setLineDash([]);
}

/** Fills down to `below` (points of another series), or to the bottom of the plot. */
export function area(e, color, alpha, below) {
	const ctx = e.drawingContext;
	const floor = e.plotArea.y + e.plotArea.h;
	ctx.fillStyle = color;
	ctx.globalAlpha = alpha;
	stretches(e.points, (from, to) => {
		ctx.beginPath();
		trace(ctx, e.points, from, to, true);
		if (below) {
			traceBack(ctx, below, from, to, floor);
		} else {
			ctx.lineTo(e.points[to - 1].canvasx, floor);
			ctx.lineTo(e.points[from].canvasx, floor);
		}
		ctx.fill();
	});
	ctx.globalAlpha = 1;
}

/** A dashed line across the whole plot at a limit. */
export function limitLine(ctx, g, value, color) {
	const area_ = g.getArea();
	const y = Math.round(g.toDomYCoord(value)) + 0.5;
	if (y < area_.y) return;
	ctx.save();
	ctx.strokeStyle = color;
	ctx.lineWidth = 1;
	ctx.setLineDash([6, 4]);
	ctx.beginPath();
	ctx.moveTo(area_.x, y);
	ctx.lineTo(area_.x + area_.w, y);
	ctx.stroke();
	ctx.restore();
}

const TEXT_GAP = 6;

/** What a mark is, beside its line at the top, on the side that has room: from `from` on. Returns where it ends. */
export function markerText(ctx, g, time, text, color, from) {
	const box = g.getArea();
	const at = Math.round(g.toDomXCoord(time * 1000));
	ctx.save();
	ctx.font = "10.5px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
	ctx.fillStyle = color;
	const { width } = ctx.measureText(text);
	const right = at + TEXT_GAP + width <= box.x + box.w;
	const x = right ? at + TEXT_GAP : at - TEXT_GAP - width;
	const fits = at >= box.x && at <= box.x + box.w && x >= Math.max(from, box.x);
	if (fits) ctx.fillText(text, x, box.y + 9);
	ctx.restore();
	return fits ? Math.max(x + width, at) + TEXT_GAP : from;
}

/** A mark at the top of the plot with a line down: something happened here. */
export function marker(ctx, g, time, color) {
	const box = g.getArea();
	const x = Math.round(g.toDomXCoord(time * 1000)) + 0.5;
	if (x < box.x || x > box.x + box.w) return;
	ctx.save();
	ctx.strokeStyle = color;
	ctx.fillStyle = color;
	ctx.globalAlpha = 0.9;
	ctx.setLineDash([2, 3]);
	ctx.beginPath();
	ctx.moveTo(x, box.y + 7);
	ctx.lineTo(x, box.y + box.h);
	ctx.stroke();
	ctx.beginPath();
	ctx.moveTo(x - 5, box.y);
	ctx.lineTo(x + 5, box.y);
	ctx.lineTo(x, box.y + 8);
	ctx.fill();
	ctx.restore();
}
