/**
 * The checks as a person follows them: five groups, each check with a mark, the failing one with its code.
 *
 * @module pipeline-view
 */

import { byId, el, icon, setText } from "./dom.js";
import { CHECKS, progress } from "./pipeline.js";

const SPOKEN = Object.freeze({ passed: "passed", failed: "failed", skipped: "not reached", idle: "waiting" });

/** One row of the list and the function that updates it. */
function createRow(check) {
  const mark = el("span", { class: "mark" });
  const spoken = el("span", { class: "visually-hidden" });
  const code = el("code", { hidden: true });
  const row = el("li", { class: "step", id: `check-${check.id}` }, mark,
    el("span", { class: "step-words" },
      el("span", { class: "step-label" }, check.label, spoken),
      el("span", { class: "muted" }, check.detail), code));

  const update = (state, failure) => {
    if (row.dataset.state !== state) mark.replaceChildren(icon(state));
    row.dataset.state = state;
    setText(spoken, `: ${SPOKEN[state]}`);
    code.hidden = state !== "failed";
    setText(code, state === "failed" ? failure : "");
  };
  return { row, update };
}

/** The code of a refusal with the claim and the reason that narrow it. */
function failureOf({ code, claim, reason }) {
  return [code, claim, reason].filter(Boolean).join(" · ");
}

/** The sentence above the list. */
function summary(steps, verdict) {
  if (verdict.kind === "accepted") return `All ${steps.length} checks passed.`;
  const failed = steps.findIndex(({ state }) => state === "failed");
  if (failed < 0) return "In this order; the first failure refuses the token.";
  const skipped = steps.length - failed - 1;
  return `Check ${failed + 1} of ${steps.length} refused it${skipped > 0 ? `; ${skipped} not reached` : ""}.`;
}

/** Draws the checks from the state. */
export function createPipelineView() {
  const rows = new Map();
  const groups = new Map();
  for (const check of CHECKS) {
    const { row, update } = createRow(check);
    rows.set(check.id, update);
    if (!groups.has(check.group)) groups.set(check.group, el("ol", { class: "steps", start: rows.size }));
    groups.get(check.group).append(row);
  }
  byId("checks").append(...[...groups].map(([name, list]) =>
    el("div", { class: "check-group" }, el("h4", {}, name), list)));

  return function render({ verdict }) {
    const steps = progress(verdict);
    for (const step of steps) rows.get(step.id)(step.state, failureOf(verdict));
    setText(byId("checks-line"), summary(steps, verdict));
  };
}
