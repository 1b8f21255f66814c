/**
 * The log on the page, newest first. An entry is drawn once and never changes.
 *
 * @module log-view
 */

import { byId, el } from "./dom.js";
import { timeOfDay } from "./format.js";

const SIDES = Object.freeze({ you: "You", issuer: "Issuer", verifier: "Verifier", network: "Network" });

function line({ at, side, tone, text, code }) {
  return el("li", { class: "entry", "data-tone": tone, "data-side": side },
    el("time", { datetime: new Date(at).toISOString() }, timeOfDay(at)),
    el("span", { class: "side" }, SIDES[side]),
    el("span", { class: "entry-text" }, text, code === null ? null : " ", code === null ? null : el("code", {}, code)));
}

/** Draws the log from the state: new entries go in front, those beyond the log's capacity leave. */
export function createLogView() {
  const place = byId("log");
  let newest = 0;

  return function render({ log }) {
    byId("log-empty").hidden = log.length > 0;
    const fresh = log.filter(({ number }) => number > newest);
    if (fresh.length === 0) return;
    newest = log[0].number;
    place.prepend(...fresh.map(line));
    while (place.children.length > log.length) place.lastElementChild.remove();
  };
}
