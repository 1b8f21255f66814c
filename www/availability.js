/**
 * Why a control cannot be used now, in a sentence; null when it can. Pure: one place decides for the
 * whole page, so no button is dead without saying why.
 *
 * @module availability
 */

import { lastSpent, reusable } from "./pair.js";

/** The reason nothing can be sent, or null. */
export function wireReason({ networkOn, online }) {
  if (!networkOn) return "The network is switched off on this page.";
  if (!online) return "This machine is offline.";
  return null;
}

function issuerReason(state) {
  return wireReason(state)
    ?? (state.client === null ? "Sign in first." : null)
    ?? (state.busy === null ? null : "Waiting for the issuer’s answer.");
}

function sessionReason(state) {
  return issuerReason(state) ?? (state.pair === null ? "Mint a pair first." : state.pair.ended);
}

/**
 * The reason for each control of the page; `session` is the one that holds for all that is done with a pair.
 *
 * @param {object} state
 * @returns {Record<string, string | null>}
 */
export function reasons(state) {
  const session = sessionReason(state);
  const token = state.text === "" ? "Mint a pair or paste a token first." : null;
  const busy = state.busy === null ? null : "One moment.";
  return {
    signIn: wireReason(state) ?? busy,
    mint: issuerReason(state),
    session,
    refresh: session,
    retry: session ?? (lastSpent(state.pair) === null ? "Refresh once first: then there is a spent token to send again." : null),
    reuse: session ?? (reusable(state.pair) === null ? "Refresh twice first: the token just before the newest is still honoured for a while." : null),
    revokeToken: session,
    endSession: session,
    verify: token ?? busy,
    tamper: token,
    restore: state.source === "" ? token : state.text === state.source ? "The token is the genuine one." : null,
    revokeBy: issuerReason(state),
    fetchList: wireReason(state) ?? busy,
    audience: wireReason(state) ?? busy,
  };
}
