/**
 * What a verifier judges by: its documents, and bindings made from them.
 *
 * The bindings can die with the WebAssembly instance (see instance.js). The next call then builds new ones, which judge
 * the same documents again as if they had just been fetched.
 */
import { Documents } from "./documents.js";
import { KeySetError, ListError, VerificationError } from "./errors.js";
import { isFull } from "./heads.js";
import { Bindings, currentGeneration, guarded } from "./instance.js";
import { MAX_KEYS_LENGTH, MAX_LIST_LENGTH } from "./sources.js";

/** Longer tokens are refused before they are copied into the module's memory. */
const MAX_TOKEN_LENGTH = 8192;

export class State {
  #settings;
  #documents;
  #now;
  #bindings;
  #generation;

  /**
   * @param {object} settings
   * @param {{ keys: Uint8Array, list: Uint8Array | null, deltas?: Uint8Array[] }} documents each of them must hold
   * @param {() => number} now whole seconds
   */
  constructor(settings, { keys, list, deltas = [] }, now) {
    this.#settings = settings;
    this.#now = now;
    within(keys, MAX_KEYS_LENGTH, KeySetError, TOO_LONG_KEYS);
    if (list !== null) within(list, MAX_LIST_LENGTH, ListError, TOO_LONG_LIST);
    this.#documents = new Documents(keys, list);
    this.#bind({ orWithoutList: false });
    for (const delta of deltas) {
      if (this.take(delta) !== "newer") throw new ListError(NO_CHAIN);
    }
  }

  /** Returns the claims, as JSON, of a token that holds. */
  verify(token, now, scope) {
    const bindings = this.#living();
    if (token.length > MAX_TOKEN_LENGTH) throw new VerificationError(TOO_LONG_TOKEN);
    return guarded(() => bindings.verify(token, BigInt(now), scope));
  }

  /** Returns what the module knows. */
  status() {
    const bindings = this.#living();
    return guarded(() => bindings.status());
  }

  takeKeys(bytes) {
    const bindings = this.#living();
    guarded(() => bindings.loadKeys(bytes));
    this.#documents.keys = bytes;
  }

  /**
   * Takes a full list or a delta into use if it is newer and leads on from what is held.
   *
   * @param {Uint8Array} bytes
   * @returns {"newer" | "same" | "older" | "gap"}
   */
  take(bytes) {
    const now = this.#now();
    const bindings = this.#living();
    const outcome = guarded(() => bindings.loadRevocations(bytes, BigInt(now)));
    if (isFull(bytes)) {
      if (outcome === "newer" || (outcome === "same" && this.#documents.all.length !== 1)) this.#documents.rebase(bytes);
    } else if (outcome === "newer") {
      this.#documents.append(bytes);
    }
    return outcome;
  }

  /** The documents it can be built from again. */
  get documents() {
    return this.#documents;
  }

  free() {
    if (this.#generation === currentGeneration()) guarded(() => this.#bindings.free());
    this.#bindings = undefined;
    this.#documents = undefined;
  }

  /** Returns bindings of the instance in use. */
  #living() {
    // Without its list, which may now be refused because the key that signed it has gone, the verifier refuses every
    // token as ERR_STATUS_STALE until another one is fetched.
    if (this.#generation !== currentGeneration()) this.#bind({ orWithoutList: true });
    return this.#bindings;
  }

  /** Makes bindings of the instance in use; documents that are refused are an error, or done without. */
  #bind({ orWithoutList }) {
    const generation = currentGeneration();
    const { keys, all } = this.#documents;
    const now = all.length === 0 ? 0 : this.#now();
    let bindings = guarded(() => new Bindings(policy(this.#settings), keys));
    try {
      for (const document of all) {
        if (guarded(() => bindings.loadRevocations(document, BigInt(now))) !== "newer") throw new ListError(NO_CHAIN);
      }
    } catch (error) {
      if (!(error instanceof ListError)) throw error; // a trap: these bindings died with their instance
      bindings.free();
      if (!orWithoutList) throw error;
      // Not even a part of them: what the first of them say is older than what was known.
      bindings = guarded(() => new Bindings(policy(this.#settings), keys));
    }
    this.#bindings = bindings;
    this.#generation = generation;
  }
}

const TOO_LONG_TOKEN = { code: "ERR_JWS_INVALID", reason: "too_long", message: `the token is longer than ${MAX_TOKEN_LENGTH} bytes` };
const TOO_LONG_KEYS = { code: "ERR_JWKS_INVALID", reason: "too_long", message: `the JWK Set is longer than ${MAX_KEYS_LENGTH} bytes` };
const TOO_LONG_LIST = { code: "ERR_REVLIST_INVALID", reason: "too_long", message: `the revocation list is longer than ${MAX_LIST_LENGTH} bytes` };
const NO_CHAIN = { code: "ERR_REVLIST_INVALID", reason: "base", message: "the delta does not apply to the list before it" };

function within(bytes, limit, Refusal, refusal) {
  if (bytes.length > limit) throw new Refusal(refusal);
}

/** What the Rust side asks of tokens. */
function policy({ issuer, audience, leeway, scope, maxStaleness, revocations }) {
  return { issuer, audience, leeway, scope, maxStaleness, revocations: revocations !== null };
}
