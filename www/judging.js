/**
 * The verifier's side of the page: it holds one verifier of the npm package and asks it about the token
 * in the editor. Judging needs no network; opening and fetching do. What the verifier is told meanwhile is
 * noted by following.js.
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

const NO_KEYS = "The verifier has not got the issuer’s keys yet. It needs the network once.";

/** Whether two verdicts say the same of the same token. */
function same(left, right) {
  return ["kind", "token", "code", "claim", "reason", "message"].every((member) => left[member] === right[member]);
}

/** What the page can ask of its verifier. */
export class Judging {
  #parts;
  #verifier = null;

  /**
   * @param {object} parts
   * @param {Function} parts.createVerifier of the npm package
   * @param {Function} parts.VerificationError of the npm package: a refusal, unlike any other error
   * @param {Function} parts.fetch the page's own (network.js)
   * @param {object} parts.store
   * @param {Function} parts.record
   * @param {object} parts.clock
   * @param {object} parts.following
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Whether there is a verifier: keys and list have been fetched at least once. */
  get isOpen() {
    return this.#verifier !== null;
  }

  /** A verifier for this issuer and audience is in use, and follows; keys and list were fetched for it. */
  async open(issuer, audience) {
    const { createVerifier, fetch, clock, store, following } = this.#parts;
    const asked = { issuer, audience: audience.split(/\s+/).filter(Boolean) };
    const opened = await createVerifier({ ...asked, fetch, now: clock.seconds });
    this.#verifier?.close();
    this.#verifier = opened;
    store.change({ audience });
    following.attach(opened, () => this.judge());
    this.judge();
  }

  /** The editor holds `text`, judged. An earlier measurement is of another text and goes. */
  show(text) {
    const { store } = this.#parts;
    if (text !== store.read().text) store.change({ text, timing: null });
    this.judge();
    if (store.read().verdict.kind === "accepted") store.change({ source: text });
  }

  /** The editor holds a token straight from the issuer, which is genuine whatever the verdict on it. */
  showGenuine(token) {
    this.#parts.store.change({ source: token });
    this.show(token);
  }

  /** The verdict in the state is that of now. A change of mind about one token is written into the log. */
  judge() {
    const { store, record } = this.#parts;
    const { text, scope, asOf, verdict: before } = store.read();
    const after = this.#ask(text, scope, asOf);
    if (same(before, after)) return;
    store.change({ verdict: after, timing: null });
    if (before.token !== after.token) return;
    if (after.kind === "refused") {
      record({ side: "verifier", tone: "bad", text: `The very same token is now refused. ${explain(after)}`, code: after.code });
    }
    if (after.kind === "accepted") record({ side: "verifier", tone: "good", text: "The same token is accepted again." });
  }

  /** The token in the editor is judged and timed, and both are written into the log. */
  async verify() {
    const { store, clock } = this.#parts;
    this.judge();
    const { text, scope, asOf, verdict } = store.read();
    if (verdict.kind !== "accepted" && verdict.kind !== "refused") return;
    const timing = await measure(() => this.#ask(text, scope, asOf), clock, () => clock.pause(0));
    if (same(store.read().verdict, verdict)) store.change({ timing });
    this.#report(verdict, timing);
  }

  /** Keys and list are fetched again and the token is judged by them. */
  async fetchList() {
    await this.#verifier.refresh();
    this.#parts.following.look();
    this.judge();
  }

  /** What the verifier says of `token`; never throws. */
  #ask(token, scope, asOf) {
    const { clock, VerificationError } = this.#parts;
    if (token === "") return { kind: "none" };
    if (this.#verifier === null) return { kind: "unable", message: NO_KEYS };
    try {
      const claims = this.#verifier.verify(token, { now: clock.seconds() + asOf, ...(scope !== "" && { scope }) });
      return { kind: "accepted", token, claims };
    } catch (error) {
      if (!(error instanceof VerificationError)) return { kind: "unable", message: error.message };
      const { code, claim = null, reason = null, message } = error;
      return { kind: "refused", token, code, claim, reason, message };
    }
  }

  #report(verdict, timing) {
    const { store, record } = this.#parts;
    const { networkOn, online } = store.read();
    const how = `in ${micros(timing.micros)}${networkOn && online ? "" : " with the network off"}.`;
    if (verdict.kind === "accepted") record({ side: "verifier", tone: "good", text: `Accepted ${how}` });
    else record({ side: "verifier", tone: "bad", text: `Refused ${how} ${explain(verdict)}`, code: verdict.code });
  }
}
