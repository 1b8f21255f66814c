/**
 * What the verifier was told lately, newest first. It is not announced: the log is, and has the same.
 *
 * @module feed-view
 */

import { byId, el } from "./dom.js";
import { timeOfDay } from "./format.js";

const TITLES = Object.freeze({ revoked: "Revoked", stale: "Stale", recovered: "Recovered", alarm: "Alarm", way: "Transport" });

const line = ({ at, kind, text }) => el("li", { class: "told", "data-kind": kind },
  el("time", { datetime: new Date(at).toISOString() }, timeOfDay(at)), el("b", {}, TITLES[kind]), el("span", {}, text));

/** Draws the feed from the state. */
export function createFeedView() {
  const place = byId("feed");
  let drawn = null;

  return function render({ feed }) {
    if (drawn === feed) return;
    drawn = feed;
    byId("feed-empty").hidden = feed.length > 0;
    place.replaceChildren(...feed.map(line));
  };
}
