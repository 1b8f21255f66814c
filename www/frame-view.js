/**
 * The frame of the page: who the issuer is, the network switch, and the notices of failures at their places.
 *
 * @module frame-view
 */

import { wireReason } from "./availability.js";
import { byId, el, onPress, setAttribute, setText } from "./dom.js";

const PLACES = Object.freeze(["signIn", "mint", "session", "revoking", "token", "list"]);

function issuerLine({ issuer, ready }) {
  if (issuer === null) return "Issuer not reached yet";
  return ready === false ? `${issuer} · not ready to issue` : issuer;
}

function networkWord(state) {
  if (!state.networkOn) return "off";
  return state.online ? "on" : "offline";
}

function drawNotice(place, notice) {
  const node = byId(`notice-${place}`);
  node.hidden = !notice;
  if (!notice) return node.replaceChildren();
  return node.replaceChildren(
    el("p", {}, el("strong", {}, sentence(notice.text)), " ", el("code", {}, notice.code)),
    el("p", {}, notice.advice));
}

/** The text as a sentence of its own: a capital in front, a full stop behind. */
function sentence(text) {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/** Draws the frame from the state and wires the switch. */
export function createFrameView(actions) {
  const network = byId("network");
  const drawn = new Map();
  onPress(network, () => actions.setNetwork(network.getAttribute("aria-checked") !== "true"));

  return function render(state) {
    setText(byId("issuer-line"), issuerLine(state));
    setAttribute(network, "aria-checked", String(state.networkOn));
    setText(byId("network-state"), networkWord(state));
    document.body.dataset.wire = wireReason(state) === null ? "up" : "down";
    for (const place of PLACES) {
      const notice = state.notices[place] ?? null;
      if (drawn.get(place) === notice) continue;
      drawn.set(place, notice);
      drawNotice(place, notice);
    }
  };
}
