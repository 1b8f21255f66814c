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

/**
 * What the page can ask of the issuer.
 *
 * @param {{api: object, store: object, record: Function, judging: object, clock: object}} parts
 */
export function createIssuing({ api, store, record, judging, clock }) {
  const note = (text, tone = "plain", code = null) => record({ side: "issuer", tone, text, code });

  /** The page may mint as this client from now on. */
  async function signIn(credentials) {
    await api.signIn(credentials);
    store.change({ client: credentials.clientId });
    note(`Signed in as ${credentials.clientId}.`, "good");
  }

  /** The secret is forgotten; a pair already minted stays good. */
  function signOut() {
    api.signOut();
    store.change({ client: null });
    note("Signed out. The page has forgotten the secret.");
  }

  /** A pair for this subject is in use, its access token is in the editor, and the verifier expects its audience. */
  async function mint(request) {
    const answer = await api.mint(request);
    const pair = startPair(answer, clock.seconds());
    store.change({ pair, exchange: null });
    note(`Minted a pair for ${request.sub}: session ${pair.sid}.`, "good");
    const wanted = [request.aud].flat();
    const expected = store.read().audience.split(/\s+/);
    if (!wanted.some((audience) => expected.includes(audience))) {
      await judging.open(store.read().issuer, wanted[0]);
      record({ side: "verifier", text: `The verifier now stands for the audience “${wanted[0]}”.` });
    }
    judging.showGenuine(pair.access);
  }

  /** The newest refresh token is spent for the next pair. */
  async function refresh() {
    const { pair } = store.read();
    const answer = await spend(pair.refresh);
    const next = advancePair(pair, answer, clock.seconds());
    store.change({ pair: next, exchange: null });
    note(`Refreshed: pair ${next.generation + 1} of this session. The access token before it lives until its own end.`, "good");
    judging.showGenuine(next.access);
  }

  /** The refresh token spent last is sent once more, and the two answers are compared byte for byte. */
  async function retry() {
    const { pair } = store.read();
    const { text } = await spend(lastSpent(pair));
    const size = new TextEncoder().encode(text).length;
    const identical = text === pair.answer;
    store.change({ exchange: { identical, size } });
    note(identical
      ? `The same refresh token was sent again, and the same ${bytes(size)} came back: a lost answer costs nobody a login.`
      : "The same refresh token was sent again, and another answer came back: the retry window had passed.", identical ? "good" : "plain");
  }

  /** An old refresh token is sent: the issuer takes it for theft and ends the session. */
  async function reuse() {
    await spend(reusable(store.read().pair));
    note("The issuer accepted an old refresh token. It should not have.", "bad");
  }

  /** The answer for this refresh token; when the issuer refuses it, the session is over and the page shows it. */
  async function spend(refreshToken) {
    try {
      return await api.refresh(refreshToken);
    } catch (error) {
      if (error.code === "invalid_grant") await sessionDied(error);
      throw error;
    }
  }

  async function sessionDied(error) {
    const { pair } = store.read();
    store.change({ pair: endPair(pair, REUSED), exchange: null });
    note("The session is dead: the issuer refused the refresh token, and revoked every live access token of the session.", "bad", error.code);
    await judging.fetchUntil(({ verdict }) => verdict.code === "ERR_TOKEN_REVOKED").catch(() => false);
  }

  /** The access token of the pair is revoked and the list that says so has been fetched. */
  async function revokeToken() {
    await revoke(store.read().pair.access, "access_token", "The access token");
  }

  /** The session and its live access tokens are revoked and the list that says so has been fetched. */
  async function endSession() {
    const { pair } = store.read();
    await revoke(pair.refresh, "refresh_token", "The session");
    store.change({ pair: endPair(pair, REVOKED) });
  }

  async function revoke(token, hint, what) {
    const { seq, effective_by: effectiveBy } = await api.revoke(token, hint);
    note(`${what} is revoked from list ${seq} on; in force everywhere by ${dateTime(effectiveBy)}.`, "good");
    const started = clock.milliseconds();
    if (await judging.fetchUntil(({ list }) => list !== null && list.seq >= seq)) {
      const { list } = store.read();
      const took = Math.max(0, Math.round(clock.milliseconds() - started));
      record({ side: "verifier", text: `List ${list.seq} is here after ${took} ms: ${bytes(list.bytes)}.` });
    } else {
      record({ side: "verifier", tone: "bad", text: `The list fetched is still older than ${seq}. Fetch it again in a moment.` });
    }
  }

  return { signIn, signOut, mint, refresh, retry, reuse, revokeToken, endSession };
}
