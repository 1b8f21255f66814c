/**
 * Clocks that run down, as a figure and a bar each. Drawn from plain readings, so that the session and the
 * revocation list show theirs alike.
 *
 * @module clocks-view
 */

import { el, setAttribute, setText } from "./dom.js";
import { remaining } from "./format.js";

/** Below this share of its span a clock is shown as running out. */
const SOON = 0.15;

function createClock({ id, label, note }) {
  const figure = el("span", { class: "figure" });
  const bar = el("progress", { max: 1, value: 0, "aria-label": label });
  const node = el("div", { class: "clock", id: `clock-${id}` },
    el("p", { class: "clock-head" }, el("span", { class: "clock-label" }, label), figure),
    bar, el("p", { class: "muted clock-note" }, note));

  const update = ({ left, total }) => {
    const share = Math.min(1, left / total);
    setText(figure, left > 0 ? remaining(left) : "over");
    setAttribute(bar, "value", share.toFixed(4));
    node.dataset.tone = left <= 0 ? "over" : share < SOON ? "soon" : "running";
  };
  return { node, update };
}

/**
 * Draws clocks inside `place`. The readings must name the same clocks, in the same order, each time there are any.
 *
 * @param {HTMLElement} place
 * @returns {(readings: ReadonlyArray<{id: string, label: string, note: string, left: number, total: number}>) => void}
 */
export function createClocksView(place) {
  let drawn = [];
  return function render(readings) {
    if (drawn.length !== readings.length) {
      drawn = readings.map(createClock);
      place.replaceChildren(...drawn.map(({ node }) => node));
    }
    readings.forEach((reading, index) => drawn[index].update(reading));
  };
}
