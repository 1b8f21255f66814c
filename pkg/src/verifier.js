/**
 * A verifier as callers hold it: settings, the bytes of its key set and list, and bindings made from them.
 *
 * The bytes are kept because the bindings can die with the WebAssembly instance (see instance.js). The next call then
 * builds new ones, which judge the same bytes again as if they had just been fetched.
 */
import { authenticate } from "./authenticate.js";
import { KeySetError, ListError, UsageError, VerificationError } from "./errors.js";
import { Bindings, currentGeneration, guarded } from "./instance.js";
import { refreshSettings, seconds, verifySettings } from "./options.js";
import { fetchKeys, fetchRevocations, MAX_KEYS_LENGTH, MAX_LIST_LENGTH } from "./sources.js";

/** Longer tokens are refused before they are copied into the module's memory. */
const MAX_TOKEN_LENGTH = 8192;

export class Verifier {
  #settings;
  #keys;
  #list; // null while there is none
  #bindings;
  #generation;
  #closed = false;
  #refreshes = 0; // begun so far
  #keysFrom = 0; // the refresh that brought the key set in use

  constructor(settings, keys, list) {
    this.#settings = settings;
    this.#keys = within(keys, MAX_KEYS_LENGTH, KeySetError, TOO_LONG_KEYS);
    this.#list = list === null ? null : within(list, MAX_LIST_LENGTH, ListError, TOO_LONG_LIST);
    this.#bind({ withoutList: false });
  }

  verify(token, options) {
    if (typeof token !== "string") throw new UsageError("verify takes the token as a string");
    const { scope, now = this.#now() } = verifySettings(options);
    const bindings = this.#living();
    if (token.length > MAX_TOKEN_LENGTH) throw new VerificationError(TOO_LONG_TOKEN);
    return frozen(JSON.parse(guarded(() => bindings.verify(token, BigInt(now), scope))));
  }

  authenticate(request, options) {
    return authenticate(this, this.#settings.scope, request, options);
  }

  async refresh(options) {
    const { signal } = refreshSettings(options);
    this.#living();
    const { fetchesKeys, fetchesRevocations } = this.#settings;
    if (!fetchesKeys && !fetchesRevocations) throw new UsageError("there is nothing to fetch: keys and revocations were given");
    const turn = (this.#refreshes += 1);
    const [keys, list] = await Promise.allSettled([
      fetchesKeys ? fetchKeys(this.#settings, [signal]) : undefined,
      fetchesRevocations ? fetchRevocations(this.#settings, [signal]) : undefined,
    ]);
    // Each is taken if it can be, whatever becomes of the other; the keys first, because the list may need them.
    const failed = [taken(keys, (bytes) => this.#takeKeys(bytes, turn)), taken(list, (bytes) => this.#takeList(bytes))];
    const failure = failed.find((error) => error !== undefined);
    if (failure !== undefined) throw failure;
  }

  get status() {
    const bindings = this.#living();
    return frozen(guarded(() => bindings.status()));
  }

  /** A refresh under way is not aborted: in Workers it may be another request's, which must not be reached into. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#generation === currentGeneration()) guarded(() => this.#bindings.free());
    this.#bindings = undefined;
    this.#keys = undefined;
    this.#list = null;
  }

  #now() {
    return seconds(this.#settings.now());
  }

  /** Returns bindings of the instance in use; throws when the verifier has been closed. */
  #living() {
    if (this.#closed) throw new UsageError("the verifier has been closed");
    // Without its list, which may now be refused because the key that signed it has gone, the verifier refuses every
    // token as ERR_STATUS_STALE until a refresh brings another one.
    if (this.#generation !== currentGeneration()) this.#bind({ withoutList: true });
    return this.#bindings;
  }

  /** Makes bindings of the instance in use; a list that is refused is an error, or done without. */
  #bind({ withoutList }) {
    const generation = currentGeneration();
    const now = this.#list === null ? 0 : this.#now();
    const bindings = guarded(() => new Bindings(policy(this.#settings), this.#keys));
    try {
      if (this.#list !== null) guarded(() => bindings.loadRevocations(this.#list, BigInt(now)));
    } catch (error) {
      if (!(error instanceof ListError)) throw error; // a trap: these bindings died with their instance
      if (!withoutList) {
        bindings.free();
        throw error;
      }
    }
    this.#bindings = bindings;
    this.#generation = generation;
  }

  #takeKeys(bytes, turn) {
    if (turn < this.#keysFrom) return; // a refresh begun later was answered sooner
    const bindings = this.#living();
    guarded(() => bindings.loadKeys(bytes));
    this.#keys = bytes;
    this.#keysFrom = turn;
  }

  #takeList(bytes) {
    const now = this.#now();
    const bindings = this.#living();
    if (guarded(() => bindings.loadRevocations(bytes, BigInt(now))) === "newer") this.#list = bytes;
  }
}

const TOO_LONG_TOKEN = { code: "ERR_JWS_INVALID", reason: "too_long", message: `the token is longer than ${MAX_TOKEN_LENGTH} bytes` };
const TOO_LONG_KEYS = { code: "ERR_JWKS_INVALID", reason: "too_long", message: `the JWK Set is longer than ${MAX_KEYS_LENGTH} bytes` };
const TOO_LONG_LIST = { code: "ERR_REVLIST_INVALID", reason: "too_long", message: `the revocation list is longer than ${MAX_LIST_LENGTH} bytes` };

function within(bytes, limit, Refusal, refusal) {
  if (bytes.length > limit) throw new Refusal(refusal);
  return bytes;
}

/** What the Rust side asks of tokens. */
function policy({ issuer, audience, leeway, scope, maxStaleness, revocations }) {
  return { issuer, audience, leeway, scope, maxStaleness, revocations: revocations !== null };
}

/**
 * Returns why a document was not fetched or not taken; undefined when it was, or was not asked for.
 *
 * @param {PromiseSettledResult<Uint8Array | undefined>} fetched
 * @param {(bytes: Uint8Array) => void} take
 */
function taken(fetched, take) {
  if (fetched.status === "rejected") return fetched.reason;
  try {
    if (fetched.value !== undefined) take(fetched.value);
    return undefined;
  } catch (error) {
    return error;
  }
}

function frozen(value) {
  if (typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
