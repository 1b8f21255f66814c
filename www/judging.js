/**
 * The verifier's side of the page: it holds one verifier of the npm package and asks it about the token
 * in the editor. Judging needs no network; opening and fetching do.
 *
 *     verdict  {kind: "none"}                                            no token, nothing asked
 *              {kind: "accepted", token, claims}
 *              {kind: "refused", token, code, claim, reason, message}
 *              {kind: "unable", message}                                 no verifier yet, or it was misused
 *
 * @module judging
 */

import { explain } from "./explain.js";
import { micros } from "./format.js";
import { measure } from "./measure.js";

const SETTLE_TRIES = 8;
const SETTLE_PAUSE_MS = 250;

/** Whether two verdicts say the same of the same token. */
function same(left, right) {
  return left.kind === right.kind && left.token === right.token && left.code === right.code
    && left.reason === right.reason && left.claim === right.claim && left.message === right.message;
}

/**
 * What the page can ask of its verifier.
 *
 * @param {object} parts
 * @param {Function} parts.createVerifier of the npm package
 * @param {Function} parts.VerificationError of the npm package: a refusal, unlike any other error
 * @param {Function} parts.fetch the page's own (network.js)
 * @param {object} parts.store @param {Function} parts.record @param {object} parts.clock
 */
export function createJudging({ createVerifier, VerificationError, fetch, store, record, clock }) {
  let verifier = null;

  /** What the verifier says of `token`; never throws. */
  function ask(token, { scope, asOf }) {
    if (token === "") return { kind: "none" };
    if (verifier === null) return { kind: "unable", message: "The verifier has not got the issuer’s keys yet. It needs the network once." };
    try {
      const claims = verifier.verify(token, { now: clock.seconds() + asOf, ...(scope !== "" && { scope }) });
      return { kind: "accepted", token, claims };
    } catch (error) {
      if (!(error instanceof VerificationError)) return { kind: "unable", message: error.message };
      const { code, claim = null, reason = null, message } = error;
      return { kind: "refused", token, code, claim, reason, message };
    }
  }

  /** The verdict in the state is that of now. A change of mind about one token is written into the log. */
  function judge() {
    const { text, scope, asOf, verdict: before } = store.read();
    const after = ask(text, { scope, asOf });
    if (same(before, after)) return;
    store.change({ verdict: after, timing: null });
    if (before.token !== after.token) return;
    if (after.kind === "refused") {
      record({ side: "verifier", tone: "bad", text: `The very same token is now refused. ${explain(after)}`, code: after.code });
    }
    if (after.kind === "accepted") record({ side: "verifier", tone: "good", text: "The same token is accepted again." });
  }

  /** The editor holds `text`, judged. An earlier measurement is of another text and goes. */
  function show(text) {
    if (text !== store.read().text) store.change({ text, timing: null });
    judge();
    if (store.read().verdict.kind === "accepted") store.change({ source: text });
  }

  /** The editor holds a token straight from the issuer, which is genuine whatever the verdict on it. */
  function showGenuine(token) {
    store.change({ source: token });
    show(token);
  }

  const noteList = () => store.change({ list: verifier === null ? null : { ...verifier.status } });

  /** A verifier for this issuer and audience is in use; keys and list were fetched for it. */
  async function open(issuer, audience) {
    const opened = await createVerifier({ issuer, audience: audience.split(/\s+/).filter(Boolean), fetch, now: clock.seconds });
    verifier?.close();
    verifier = opened;
    store.change({ audience });
    noteList();
    judge();
  }

  /** Keys and list are fetched again and the token is judged by them. */
  async function fetchList() {
    await verifier.refresh();
    noteList();
    judge();
  }

  /** The list is fetched until `done` holds or a few tries are over; whether it held. */
  async function fetchUntil(done) {
    for (let tries = 0; tries < SETTLE_TRIES; tries += 1) {
      await fetchList();
      if (done(store.read())) return true;
      await clock.pause(SETTLE_PAUSE_MS);
    }
    return false;
  }

  /** The token in the editor is judged and timed, and both are written into the log. */
  async function verify() {
    const { text, scope, asOf } = store.read();
    judge();
    const { verdict } = store.read();
    if (verdict.kind !== "accepted" && verdict.kind !== "refused") return;
    const timing = await measure(() => ask(text, { scope, asOf }), clock, () => clock.pause(0));
    if (store.read().text === text) store.change({ timing });
    const took = micros(timing.micros);
    const { networkOn, online } = store.read();
    const where = networkOn && online ? "" : " with the network off";
    if (verdict.kind === "accepted") record({ side: "verifier", tone: "good", text: `Accepted in ${took}${where}.` });
    else record({ side: "verifier", tone: "bad", text: `Refused in ${took}${where}. ${explain(verdict)}`, code: verdict.code });
  }

  return { open, show, showGenuine, judge, verify, fetchList, fetchUntil, isOpen: () => verifier !== null };
}
