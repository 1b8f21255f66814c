/**
 * The token: its text in an editor with the three parts in three colours, what it says, and the attacks on it.
 *
 * @module token-view
 */

import { reasons } from "./availability.js";
import { byId, el, onPress, setAttribute, setAvailable, setText } from "./dom.js";
import { meaningOf } from "./explain.js";
import { addressFor } from "./fragment.js";
import { bytes, count, dateTime, micros, relative } from "./format.js";
import { readToken } from "./jws.js";
import { ATTACKS } from "./tamper.js";

const PARTS = Object.freeze(["part-header", "part-claims", "part-signature"]);
const INSTANTS = new Set(["exp", "iat", "nbf", "auth_time"]);

/** The text once more, behind the editor, with each part in its colour. It ends in a blank so that it is never lower than the editor. */
function paint(place, text) {
  const nodes = text.split(".").flatMap((part, index) => {
    const painted = el("span", { class: PARTS[index] ?? "part-excess" }, part);
    return index === 0 ? [painted] : [".", painted];
  });
  place.replaceChildren(...nodes, " ");
}

/** What stands beside a member: the time in words, or what the member is for. */
function note(name, value, now) {
  if (INSTANTS.has(name) && Number.isFinite(value)) return `${relative(value, now)}, ${dateTime(value)}`;
  return meaningOf(name) ?? "own claim";
}

function row(name, value, now) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return el("div", { class: "member" }, el("dt", {}, name), el("dd", {},
    el("code", {}, text), el("span", { class: "muted" }, note(name, value, now))));
}

function table(title, className, status, members, now) {
  const rows = members === null
    ? el("p", { class: "muted" }, "This part cannot be read.")
    : el("dl", { class: "members" }, ...Object.entries(members).map(([name, value]) => row(name, value, now)));
  return el("section", { class: `decoded-part ${className}`, "aria-label": title },
    el("h4", {}, title, el("span", { class: "badge" }, status)), rows);
}

/** How the time of one verification comes about, so that the figure can be believed. */
function howMeasured(timing) {
  if (timing === null) return "Runs it many times and shows the time of one.";
  const { micros: figure, runs, batches, stepMicros } = timing;
  return `${micros(figure)}: the median of ${batches} batches, ${count(runs)} runs in all; this browser’s clock steps by ${micros(stepMicros)}.`;
}

/** The state in which what a token says is: believed only after the verifier accepted it. */
function standing({ kind }) {
  if (kind === "accepted") return "verified";
  return kind === "refused" ? "refused, not believed" : "not checked";
}

function drawDecoded(place, text, verdict, now) {
  if (text === "") return place.replaceChildren();
  const { header, claims } = readToken(text);
  const status = standing(verdict);
  return place.replaceChildren(table("Header", "is-header", status, header, now), table("Claims", "is-claims", status, claims, now));
}

function wireSettings(actions) {
  const audience = byId("verify-audience");
  audience.addEventListener("change", () => {
    if (audience.readOnly || audience.value.trim() === "") return;
    actions.expectAudience(audience.value);
  });
  byId("verify-scope").addEventListener("input", ({ target }) => actions.requireScope(target.value));
  byId("verify-as-of").addEventListener("change", ({ target }) => actions.judgeAsOf(Number(target.value)));
}

function createAttacks(actions) {
  const buttons = ATTACKS.map(({ id, label, story }) => {
    const button = el("button", { type: "button", class: "chip", id: `attack-${id}`, "aria-label": `${label}: ${story}` }, label);
    onPress(button, () => actions.tamper(id));
    return { button, story };
  });
  byId("attacks").append(...buttons.map(({ button }) => button));
  return buttons;
}

function drawSettings({ audience: expected }, why) {
  const audience = byId("verify-audience");
  audience.readOnly = why.audience !== null;
  if (document.activeElement !== audience) audience.value = expected;
  setText(byId("verify-audience-reason"), why.audience === null
    ? "Another audience is another verifier: keys and list are fetched for it."
    : `The audience cannot be changed now. ${why.audience}`);
}

/** Draws the token from the state and wires the editor, its buttons and the verifier's settings. */
export function createTokenView(actions, clock) {
  const editor = byId("token-text");
  const attacks = createAttacks(actions);
  let painted = null;
  let decodedFor = null;
  editor.addEventListener("input", () => actions.edit(editor.value));
  onPress(byId("verify"), () => actions.verify());
  onPress(byId("restore"), () => actions.restore());
  wireSettings(actions);

  return function render(state) {
    const why = reasons(state);
    if (editor.value.trim() !== state.text) editor.value = state.text;
    if (painted !== editor.value) paint(byId("token-paint"), painted = editor.value);
    setText(byId("token-size"), state.text === "" ? "" : bytes(new TextEncoder().encode(state.text).length));
    setAvailable(byId("verify"), why.verify);
    const beside = byId("second-tab");
    beside.hidden = state.verdict.kind !== "accepted";
    setAttribute(beside, "href", beside.hidden ? null : addressFor(state.text));
    setText(byId("verify-reason"), why.verify ?? howMeasured(state.timing));
    setAvailable(byId("restore"), why.restore);
    for (const { button, story } of attacks) {
      setAvailable(button, why.tamper);
      if (why.tamper === null) button.title = story;
    }
    drawSettings(state, why);
    const shown = `${state.verdict.kind} ${state.text} ${Math.floor(clock.seconds() / 10)}`;
    if (decodedFor !== shown) drawDecoded(byId("decoded"), state.text, state.verdict, clock.seconds());
    decodedFor = shown;
  };
}
