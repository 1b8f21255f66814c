/**
 * The revocation list the verifier holds: sequence, age, size, entries, and how long it may be used.
 *
 * @module list-view
 */

import { reasons } from "./availability.js";
import { createClocksView } from "./clocks-view.js";
import { byId, el, onPress, setAvailable, setText } from "./dom.js";
import { bytes, count, span, timeOfDay } from "./format.js";

/** The facts of a list, as label and text. */
function facts({ seq, issuedAt, bytes: size, entries, keys }, now) {
  return [
    ["Sequence", String(seq)],
    ["Age", now - issuedAt < 1 ? "under a second" : span(now - issuedAt)],
    ["Size", bytes(size)],
    ["Revoked in it", count(entries)],
    ["Signed at", timeOfDay(issuedAt * 1000)],
    ["Keys held", count(keys.length)],
  ];
}

/** The clock of the list: past its end the verifier refuses every token. */
function reading({ issuedAt, expiresAt }, now) {
  return {
    id: "list",
    label: "May be used for",
    note: "then every token is refused with ERR_STATUS_STALE, until it is fetched again",
    left: Math.max(0, expiresAt - now),
    total: Math.max(1, expiresAt - issuedAt),
  };
}

/** Draws the list from the state and wires its controls. */
export function createListView(actions, clock) {
  const place = byId("list-facts");
  const drawClock = createClocksView(byId("list-clock"));
  const cells = new Map();
  onPress(byId("fetch-list"), () => actions.fetchList());
  byId("follow").addEventListener("change", ({ target }) => actions.setFollow(target.checked));

  const cell = (label) => {
    if (!cells.has(label)) {
      const value = el("dd");
      cells.set(label, value);
      place.append(el("div", { class: "fact" }, el("dt", {}, label), value));
    }
    return cells.get(label);
  };

  return function render(state) {
    const { list } = state;
    const why = reasons(state).fetchList;
    const reason = byId("fetch-list-reason");
    setAvailable(byId("fetch-list"), why);
    setText(reason, why ?? reason.dataset.about);
    if (list === null) return;
    const now = clock.seconds();
    for (const [label, text] of facts(list, now)) setText(cell(label), text);
    drawClock([reading(list, now)]);
  };
}
