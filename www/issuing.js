/**
 * The issuer's side of the page: sign in, mint, refresh, retry, reuse, revoke. Each is one request, and
 * what it showed goes into the state and the log. Failures are thrown to the caller (actions.js).
 *
 * @module issuing
 */

import { bytes, dateTime } from "./format.js";
import { readToken } from "./jws.js";
import { advancePair, endPair, lastSpent, reusable, startPair } from "./pair.js";

const REVOKED = "The session was revoked. Mint a new pair.";
const REUSED = "An old refresh token was used again, so the issuer ended the session. Mint a new pair.";
const OVER = "The issuer no longer knows this session: it was revoked, or has expired. Mint a new pair.";

/** What a request names, as the beginning of a sentence. */
function nameOf({ subject, session, client }) {
  if (subject !== undefined) return `Every session of the subject ${subject}`;
  if (session !== undefined) return `The session ${session}`;
  return client === undefined ? "Everything issued so far" : `Everything that the client ${client} got so far`;
}

/** Whether the session of this pair is among what was revoked. */
function concerns({ subject, session, client, all }, pair) {
  const { claims } = readToken(pair.access);
  return all === true || session === pair.sid || (subject !== undefined && subject === claims?.sub) || (client !== undefined && client === claims?.client_id);
}

/** What the page can ask of the issuer. */
export class Issuing {
  #parts;

  /** @param {{api: object, store: object, record: Function, judging: object, following: object, tabs: object, clock: object}} parts */
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

  /** The access token of the pair is revoked. */
  async revokeToken() {
    const { api, store } = this.#parts;
    const { access } = store.read().pair;
    await this.#revoked("The access token", () => api.revoke(access, "access_token"));
  }

  /** The session and its live access tokens are revoked. */
  async endSession() {
    const { api, store } = this.#parts;
    const { pair } = store.read();
    await this.#revoked("The session", () => api.revoke(pair.refresh, "refresh_token"));
    store.change({ pair: endPair(pair, REVOKED) });
  }

  /** Everything that has this name is revoked: `{subject}`, `{session}`, `{client}` or `{all: true}`. */
  async revokeBy(request) {
    const { api, store } = this.#parts;
    await this.#revoked(nameOf(request), () => api.revokeBy(request));
    const { pair } = store.read();
    if (pair !== null && pair.ended === null && concerns(request, pair)) store.change({ pair: endPair(pair, REVOKED) });
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
      if (error.code === "invalid_grant") this.#sessionDied(error, why);
      throw error;
    }
  }

  #sessionDied(error, why) {
    const { store } = this.#parts;
    store.change({ pair: endPair(store.read().pair, why), exchange: null });
    this.#note(`The session is dead. ${why}`, "bad", error.code);
  }

  /** Once the issuer has answered, here and in other tabs the time runs until the list is there. */
  async #revoked(what, ask) {
    const { following, tabs, clock } = this.#parts;
    const { seq, effective_by: effectiveBy } = await ask();
    const answer = { seq, at: clock.shared() };
    tabs.tell(answer);
    this.#note(`${what} is revoked from list ${seq} on; in force everywhere by ${dateTime(effectiveBy)}.`, "good");
    following.expect({ ...answer, own: true });
  }

  #note(text, tone = "plain", code = null) {
    this.#parts.record({ side: "issuer", tone, text, code });
  }
}
