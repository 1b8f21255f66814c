/**
 * The last two minutes as a trace: a beat for each list signed anew, a peak for each that revokes more, and the
 * line itself as news come. Whoever asked for less motion gets a picture that stands still between events.
 *
 * @module strip-view
 */

import { byId, setAttribute, setText } from "./dom.js";
import { picture, summary, wayOf } from "./trail.js";

const SVG = "http://www.w3.org/2000/svg";
const BASE = 52;
const HEIGHT = 76;
const LABEL_WIDTH = 26;
/** Right of now, for a mark that is being drawn. */
const MARGIN = 10;
/** How far the picture moves at once. */
const STEP_MS = 1000;
const CALM_STEP_MS = 15_000;

function shape(name, attributes, text = "") {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) setAttribute(node, key, value);
  node.textContent = text;
  return node;
}

/** The trace through the marks of one stretch: flat, with a small beat or a peak at each mark. */
function trace({ from, to }, isLast, marks) {
  const points = marks.filter(({ x, kind }) => x >= from && (x < to || isLast) && BEATS[kind] !== undefined)
    .flatMap(({ x, kind }) => BEATS[kind].map(([dx, dy]) => `${(x + dx).toFixed(1)} ${BASE + dy}`));
  return `M${[`${from} ${BASE}`, ...points, `${to} ${BASE}`].join("L")}`;
}

/** Offsets of the points of a beat, to the left and above the base being negative. */
const BEATS = Object.freeze({
  first: [[-3, 0], [-1.5, -6], [0.5, 4], [2, 0]],
  heartbeat: [[-3, 0], [-1.5, -10], [0.5, 6], [2, 0]],
  revoked: [[-3, 0], [-0.5, -30], [2.5, 11], [4, 0]],
});

/** What a peak says above itself. */
const label = ({ added, rules }) => (added > 0 ? `+${added}` : rules > 0 ? "rule" : "");

function drawMark({ x, kind }) {
  if (kind === "revoked") {
    return [shape("line", { class: "strip-stem", x1: x - 0.5, x2: x - 0.5, y1: BASE - 30, y2: BASE - 4 }),
      shape("circle", { class: "strip-peak", cx: x - 0.5, cy: BASE - 30, r: 3.5 })];
  }
  if (BEATS[kind] !== undefined) return [];
  return [shape("line", { class: "strip-flag", "data-kind": kind, x1: x, x2: x, y1: 8, y2: HEIGHT - 8 })];
}

/** What the peaks say above themselves; those that stand close to each other say it together. */
function drawLabels(marks, width) {
  const groups = [];
  for (const { x, added, rules } of marks.filter(({ kind }) => kind === "revoked")) {
    const last = groups.at(-1);
    if (last === undefined || x - last.to > LABEL_WIDTH) groups.push({ from: x, to: x, added, rules });
    else Object.assign(last, { to: x, added: last.added + added, rules: last.rules + rules });
  }
  return groups.map(({ from, to, ...sum }) => {
    const x = Math.min(width - LABEL_WIDTH / 2, Math.max(LABEL_WIDTH / 2, (from + to) / 2));
    return shape("text", { class: "strip-label", x, y: BASE - 38, "text-anchor": "middle" }, label(sum));
  });
}

/** Everything in the picture, for what is in the trail at `now`. */
function drawing(trail, now, width) {
  const { ways, marks } = picture(trail, now, width - MARGIN);
  const grid = [0.25, 0.5, 0.75].map((share) => shape("line", { class: "strip-grid", x1: share * width, x2: share * width, y1: 4, y2: HEIGHT - 4 }));
  const traces = ways.map((stretch, at) => shape("path", { class: "strip-trace", "data-way": stretch.way, d: trace(stretch, at === ways.length - 1, marks) }));
  const end = shape("circle", { class: "strip-now", "data-way": wayOf(trail), cx: width - MARGIN + 4, cy: BASE, r: 4 });
  return [...grid, ...traces, ...marks.flatMap(drawMark), ...drawLabels(marks, width), end];
}

/**
 * Draws the strip from the state.
 *
 * @param {{milliseconds(): number}} clock
 * @param {{matches: boolean}} calm whether less motion is asked for
 */
export function createStripView(clock, calm) {
  const place = byId("strip");
  let drawn = "";

  return function render({ trail }) {
    byId("strip-figure").hidden = trail.length === 0;
    if (trail.length === 0) return;
    const width = place.clientWidth;
    const step = calm.matches ? CALM_STEP_MS : STEP_MS;
    const now = Math.max(Math.floor(clock.milliseconds() / step) * step, trail.at(-1).at);
    const shown = `${width} ${now} ${trail.length} ${trail.at(-1).at}`;
    if (shown === drawn || width === 0) return;
    drawn = shown;
    setAttribute(place, "viewBox", `0 0 ${width} ${HEIGHT}`);
    place.replaceChildren(...drawing(trail, now, width));
    setText(byId("strip-summary"), summary(trail, now));
  };
}
