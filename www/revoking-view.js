/**
 * Revoking by name: a subject, a session, a client, or everything. The fields suggest what is at hand until somebody
 * writes into them.
 *
 * @module revoking-view
 */

import { reasons } from "./availability.js";
import { byId, onPress, setAvailable, setText } from "./dom.js";
import { readToken } from "./jws.js";

/** What is at hand to be revoked, by the name of the target. */
const SUGGESTIONS = Object.freeze({
  subject: ({ pair }) => readToken(pair?.access ?? "").claims?.sub ?? "",
  session: ({ pair }) => pair?.sid ?? "",
  client: ({ client }) => client ?? "",
});

function wire(target, actions) {
  const field = byId(`revoke-${target}-name`);
  field.addEventListener("input", () => {
    field.dataset.own = field.value === "" ? "" : "own";
  });
  byId(`revoke-${target}-form`).addEventListener("submit", (event) => {
    event.preventDefault();
    if (byId(`revoke-${target}`).getAttribute("aria-disabled") === "true") return;
    actions.revokeBy({ [target]: field.value.trim() });
  });
}

function suggest(target, state) {
  const field = byId(`revoke-${target}-name`);
  const text = SUGGESTIONS[target](state);
  if (!field.dataset.own && field.value !== text && document.activeElement !== field) field.value = text;
}

/** Draws the controls from the state and wires them. */
export function createRevokingView(actions) {
  const all = byId("revoke-all");
  for (const target of Object.keys(SUGGESTIONS)) wire(target, actions);
  onPress(all, () => actions.revokeAll());
  all.addEventListener("blur", () => actions.disarm());

  return function render(state) {
    const why = reasons(state).revokeBy;
    setText(byId("revoking-reason"), why ?? "");
    for (const target of Object.keys(SUGGESTIONS)) {
      suggest(target, state);
      setAvailable(byId(`revoke-${target}`), why);
    }
    setAvailable(all, why);
    setText(all, state.armed ? "Really everything?" : "Revoke everything");
    setText(byId("revoke-all-reason"), state.armed
      ? "Press again: every token and session of everybody ends."
      : "One rule takes back whatever was issued until now.");
  };
}
