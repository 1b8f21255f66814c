/**
 * The banner that always says what the verifier thinks of the token on the page.
 *
 * @module verdict-view
 */

import { byId, icon, setText } from "./dom.js";
import { explain } from "./explain.js";
import { micros, span } from "./format.js";
import { latencyFigure } from "./list-view.js";

const ICONS = Object.freeze({ accepted: "passed", refused: "failed", unable: "skipped", none: "shield" });

/** Title, code and sentence of a verdict. */
function words(verdict) {
  switch (verdict.kind) {
    case "accepted": {
      const { sub, aud, scope } = verdict.claims;
      const limits = scope ? ` Scope: ${scope}.` : "";
      return { title: "Accepted", code: null, text: `${sub}, for ${[aud].flat().join(", ")}.${limits}` };
    }
    case "refused":
      return { title: "Refused", code: verdict.code, text: explain(verdict) };
    case "unable":
      return { title: "Cannot judge", code: null, text: verdict.message };
    default:
      return { title: "No token yet", code: null, text: "Mint a pair, or paste a token to judge it." };
  }
}

/** How long a verification takes; of a token just revoked how long it took until it was refused. */
function figures({ timing, latency, verdict }) {
  if (timing !== null) return { figure: micros(timing.micros), note: "to verify" };
  const isOfToken = verdict.code === "ERR_TOKEN_REVOKED" && latency?.refused === verdict.token;
  if (!isOfToken) return { figure: "", note: "" };
  return { figure: latencyFigure(latency), note: "after the answer" };
}

/** Draws the banner from the state. */
export function createVerdictView() {
  const banner = byId("verdict");
  const mark = byId("verdict-icon");
  const code = byId("verdict-code");
  const timing = byId("timing");

  return function render(state) {
    const { verdict } = state;
    const said = words(verdict);
    const asOf = state.asOf === 0 ? "" : ` Judged as of ${span(state.asOf)} from now.`;
    if (mark.dataset.kind !== verdict.kind) mark.replaceChildren(icon(ICONS[verdict.kind]));
    mark.dataset.kind = verdict.kind;
    banner.dataset.tone = verdict.kind;
    setText(byId("verdict-title"), said.title);
    code.hidden = said.code === null;
    setText(code, said.code ?? "");
    setText(byId("verdict-text"), said.text + (verdict.kind === "none" ? "" : asOf));
    const { figure, note } = figures(state);
    timing.hidden = figure === "";
    setText(byId("timing-figure"), figure);
    setText(byId("timing-note"), note);
  };
}
