/**
 * The session: its clocks, and what can be done with its pair.
 *
 * @module session-view
 */

import { reasons } from "./availability.js";
import { createClocksView } from "./clocks-view.js";
import { byId, onPress, setAvailable, setText } from "./dom.js";
import { bytes } from "./format.js";
import { clocks } from "./pair.js";

const ACTS = Object.freeze([
  { id: "refresh", control: "refresh" },
  { id: "retry", control: "retry" },
  { id: "reuse", control: "reuse" },
  { id: "revoke-token", control: "revokeToken" },
  { id: "end-session", control: "endSession" },
]);

function sessionLine(pair) {
  if (pair === null) return "No session yet. Mint a pair to start one.";
  if (pair.ended !== null) return pair.ended;
  return `Pair ${pair.generation + 1} of session ${pair.sid}.`;
}

function exchangeLine({ identical, size }) {
  return identical
    ? `Both answers are identical: ${bytes(size)}, none differs.`
    : "The answers differ, and they should not.";
}

/** Draws the session from the state and wires its buttons. */
export function createSessionView(actions, clock) {
  const drawClocks = createClocksView(byId("clocks"));
  const exchange = byId("exchange");
  for (const { id, control } of ACTS) onPress(byId(id), () => actions[control]());

  return function render(state) {
    const { pair } = state;
    const why = reasons(state);
    setText(byId("session-line"), sessionLine(pair));
    byId("session-line").dataset.tone = pair?.ended ? "bad" : "plain";
    for (const { id, control } of ACTS) {
      const reason = byId(`${id}-reason`);
      const own = why.session === null ? why[control] : null;
      setAvailable(byId(id), why[control]);
      setText(reason, own ?? reason.dataset.about);
    }
    setText(byId("session-reason"), pair?.ended ? "" : why.session ?? "");
    const now = pair?.ended ? Infinity : clock.seconds();
    drawClocks(pair === null ? [] : clocks(pair, now));
    exchange.hidden = state.exchange === null;
    if (state.exchange !== null) {
      setText(exchange, exchangeLine(state.exchange));
      exchange.dataset.tone = state.exchange.identical ? "good" : "plain";
    }
  };
}
