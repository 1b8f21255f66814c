/**
 * The revocation list the verifier holds: by which way news of it come, what it revokes, and how long it may be used.
 *
 * @module list-view
 */

import { reasons } from "./availability.js";
import { createClocksView } from "./clocks-view.js";
import { byId, el, onPress, setAvailable, setText } from "./dom.js";
import { bytes, counted, millis, span, timeOfDay } from "./format.js";
import { wayOf } from "./trail.js";

/** The badge of each way. */
const BADGES = Object.freeze({ stream: "Live stream", poll: "Asking every few seconds", cut: "Cut off" });

const ago = (seconds) => (seconds < 1 ? "under a second" : span(seconds));

/** The facts of a list, as label and text. */
function facts({ seq, issuedAt, age, bytes: size, entries, rules, keys, transport, lastContact }, now) {
  return [
    ["Revokes", `${counted(entries, "token", "tokens")}, ${counted(rules, "rule", "rules")}`],
    ["Transport", transport],
    ["Last contact", lastContact === null ? "none yet" : `${ago(now - lastContact)} ago`],
    ["Age", ago(age)],
    ["Sequence", String(seq)],
    ["Signed at", timeOfDay(issuedAt * 1000)],
    ["Size", bytes(size)],
    ["Keys held", String(keys.length)],
  ];
}

/** The clock of the list: past its bound the verifier refuses every token. */
function reading({ issuedAt, usableUntil }, now) {
  return {
    id: "list",
    label: "May be used for",
    note: "counted from its signature; each newer list starts it again, and at its end every token is refused with ERR_STATUS_STALE",
    left: Math.max(0, usableUntil - now),
    total: Math.max(1, usableUntil - issuedAt),
  };
}

/** How long the last revocation took to be in force here. */
export const latencyFigure = (latency) => (latency.millis < 0 ? "at once" : millis(latency.millis));

/** What the figure is, in words. */
function latencyNote({ refused, own }) {
  const what = refused === null ? "the list that says so was here by itself" : "this page refused the token by itself";
  return `from the issuer’s answer ${own ? "" : "to another tab "}until ${what}`;
}

function drawLatency({ latency }) {
  byId("latency").hidden = latency === null;
  if (latency === null) return;
  setText(byId("latency-figure"), latencyFigure(latency));
  setText(byId("latency-note"), latencyNote(latency));
}

/** Cells for the facts, made when a label is seen first. */
function createCells(place) {
  const cells = new Map();
  return (label) => {
    if (!cells.has(label)) {
      const value = el("dd");
      cells.set(label, value);
      place.append(el("div", { class: "fact" }, el("dt", {}, label), value));
    }
    return cells.get(label);
  };
}

/** Draws the list from the state and wires its control. */
export function createListView(actions, clock) {
  const cell = createCells(byId("list-facts"));
  const drawClock = createClocksView(byId("list-clock"));
  const badge = byId("way");
  onPress(byId("fetch-list"), () => actions.fetchList());

  return function render(state) {
    const { list } = state;
    const why = reasons(state).fetchList;
    const reason = byId("fetch-list-reason");
    setAvailable(byId("fetch-list"), why);
    setText(reason, why ?? reason.dataset.about);
    const way = wayOf(state.trail);
    badge.hidden = way === null;
    badge.dataset.way = way ?? "";
    setText(badge, BADGES[way] ?? "");
    drawLatency(state);
    if (list === null || list.seq === null) return;
    const now = clock.seconds();
    for (const [label, text] of facts(list, now)) setText(cell(label), text);
    drawClock([reading(list, now)]);
  };
}
