/**
 * The issuer's side of the page: sign in, mint, refresh, retry, reuse, revoke. Each is one request, and
 * what it showed goes into the state and the log. Failures are thrown to the caller (actions.js).
 *
 * @module issuing
 */

import { bytes, dateTime } from "./format.js";
import { advancePair, endPair, lastSpent, reusable, startPair } from "./pair.js";

const REVOKED = "The session was revoked. Mint a new pair.";
const REUSED = "An old refresh token was used again, so the issuer ended the session. Mint a new pair.";
const OVER = "The issuer no longer knows this session: it was revoked, or has expired. Mint a new pair.";

/** What the page can ask of the issuer. */
export class Issuing {
  #parts;

  /** @param {{api: object, store: object, record: Function, judging: object, clock: object}} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** The page may mint as this client from now on. */
  async signIn(credentials) {
    await this.#parts.api.signIn(credentials);
    this.#parts.store.change({ client: credentials.clientId });
    this.#note(`Signed in as ${credentials.clientId}.`, "good");
  }

  /** The secret is forgotten; a pair already minted stays good. */
  signOut() {
    this.#parts.api.signOut();
    this.#parts.store.change({ client: null });
    this.#note("Signed out. The page has forgotten the secret.");
  }

  /** A pair for this subject is in use, its access token is in the editor, and the verifier expects its audience. */
  async mint(request) {
    const { api, store, judging, clock } = this.#parts;
    const pair = startPair(await api.mint(request), clock.seconds());
    store.change({ pair, exchange: null });
    this.#note(`Minted a pair for ${request.sub}: session ${pair.sid}.`, "good");
    await this.#standFor([request.aud].flat());
    judging.showGenuine(pair.access);
  }

  /** The newest refresh token is spent for the next pair. */
  async refresh() {
    const { store, judging, clock } = this.#parts;
    const { pair } = store.read();
    const next = advancePair(pair, await this.#spend(pair.refresh, OVER), clock.seconds());
    store.change({ pair: next, exchange: null });
    this.#note(`Refreshed: pair ${next.generation + 1} of this session. The access token before it lives until its own end.`, "good");
    judging.showGenuine(next.access);
  }

  /** The refresh token spent last is sent once more, and the two answers are compared byte for byte. */
  async retry() {
    const { store } = this.#parts;
    const { pair } = store.read();
    const { text } = await this.#spend(lastSpent(pair), REUSED);
    const size = new TextEncoder().encode(text).length;
    const identical = text === pair.answer;
    store.change({ exchange: { identical, size } });
    if (identical) this.#note(`The same refresh token was sent again, and the same ${bytes(size)} came back: a lost answer costs nobody a login.`, "good");
    else this.#note("The same refresh token was sent again, and another answer came back. It should not have.", "bad");
  }

  /** An old refresh token is sent: the issuer takes it for theft and ends the session. */
  async reuse() {
    await this.#spend(reusable(this.#parts.store.read().pair), REUSED);
    this.#note("The issuer accepted an old refresh token. It should not have.", "bad");
  }

  /** The access token of the pair is revoked and the list that says so has been fetched. */
  async revokeToken() {
    await this.#revoke(this.#parts.store.read().pair.access, "access_token", "The access token");
  }

  /** The session and its live access tokens are revoked and the list that says so has been fetched. */
  async endSession() {
    const { store } = this.#parts;
    const { pair } = store.read();
    await this.#revoke(pair.refresh, "refresh_token", "The session");
    store.change({ pair: endPair(pair, REVOKED) });
  }

  /** The verifier expects one of these audiences; another one is opened when it expects none of them. */
  async #standFor(audiences) {
    const { store, judging, record } = this.#parts;
    const { issuer, audience } = store.read();
    if (issuer === null) return; // not connected yet: the verdict says so
    if (judging.isOpen && audience.split(/\s+/).some((expected) => audiences.includes(expected))) return;
    await judging.open(issuer, audiences[0]);
    record({ side: "verifier", text: `The verifier now stands for the audience “${audiences[0]}”.` });
  }

  /** The answer for this refresh token; when the issuer refuses it, the session is over, and `why` says how. */
  async #spend(refreshToken, why) {
    try {
      return await this.#parts.api.refresh(refreshToken);
    } catch (error) {
      if (error.code === "invalid_grant") await this.#sessionDied(error, why);
      throw error;
    }
  }

  async #sessionDied(error, why) {
    const { store, judging } = this.#parts;
    store.change({ pair: endPair(store.read().pair, why), exchange: null });
    this.#note(`The session is dead. ${why}`, "bad", error.code);
    // A list that cannot be fetched now shows at the list; the refusal of the grant is the failure to tell.
    await judging.fetchUntil(({ verdict }) => verdict.code === "ERR_TOKEN_REVOKED").catch(() => false);
  }

  async #revoke(token, hint, what) {
    const { api, store, judging, record, clock } = this.#parts;
    const { seq, effective_by: effectiveBy } = await api.revoke(token, hint);
    this.#note(`${what} is revoked from list ${seq} on; in force everywhere by ${dateTime(effectiveBy)}.`, "good");
    const started = clock.precise();
    const arrived = await judging.fetchUntil(({ list }) => list !== null && list.seq >= seq);
    const took = Math.round(clock.precise() - started);
    const { list } = store.read();
    if (arrived) record({ side: "verifier", text: `List ${list.seq} is here after ${took} ms: ${bytes(list.bytes)}.` });
    else record({ side: "verifier", tone: "bad", text: `The list fetched is still older than ${seq}. Fetch it again in a moment.` });
  }

  #note(text, tone = "plain", code = null) {
    this.#parts.record({ side: "issuer", tone, text, code });
  }
}
