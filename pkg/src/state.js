/**
 * What a verifier judges by: its documents, and bindings made from them.
 *
 * The bindings can die with the WebAssembly instance (see instance.js). The next call then builds new ones, which judge
 * the same documents again as if they had just been fetched.
 */
import { bindings, load, loadKeys, statusOf } from "./bindings.js";
import { Cache } from "./cache.js";
import { HOLDS, NO_SLOT, UNKNOWN } from "./desk.js";
import { Documents } from "./documents.js";
import { errorOf, KeySetError, ListError } from "./errors.js";
import { claimsOf, isFull, signerOf } from "./heads.js";
import { currentDesk, currentGeneration, guarded } from "./instance.js";
import { MAX_KEYS_LENGTH, MAX_LIST_LENGTH } from "./sources.js";

export class State {
  #settings;
  #documents;
  #now;
  #bindings;
  #generation;
  #cache; // undefined when nothing is to be remembered

  /**
   * @param {ReturnType<typeof import("./options.js").verifierSettings>} settings
   * @param {{ keys: Uint8Array, list: Uint8Array | null, deltas?: Uint8Array[] }} documents each of them must hold
   * @param {() => number} now whole seconds
   */
  constructor(settings, { keys, list, deltas = [] }, now) {
    this.#settings = settings;
    this.#now = now;
    if (settings.cacheSize > 0) this.#cache = new Cache(settings.cacheSize);
    within(keys, MAX_KEYS_LENGTH, KeySetError, TOO_LONG_KEYS);
    if (list !== null) within(list, MAX_LIST_LENGTH, ListError, TOO_LONG_LIST);
    this.#documents = new Documents(keys, list);
    this.#bind({ orWithoutList: false });
    for (const delta of deltas) {
      if (this.take(delta) !== "newer") throw new ListError(NO_CHAIN);
    }
  }

  /**
   * Returns the claims of a token that holds, frozen throughout.
   *
   * @param {string} token
   * @param {number} now whole seconds
   * @param {string} [scope]
   */
  verify(token, now, scope) {
    const bindings = this.#living();
    const entry = this.#cache?.find(token);
    if (entry !== undefined) {
      const answer = guarded(() => currentDesk().recheck(bindings, entry.slot, scope, now));
      if (answer === HOLDS) return entry.claims;
      if (answer !== UNKNOWN) throw errorOf(answer);
    }
    return this.#judge(bindings, token, now, scope);
  }

  /** Returns for each token its claims, or the error that `verify` throws. Nothing is remembered of them. */
  verifyMany(tokens, now, scope) {
    const bindings = this.#living();
    const answers = [];
    while (answers.length < tokens.length) {
      answers.push(...guarded(() => currentDesk().judgeSome(bindings, tokens, answers.length, scope, now)));
    }
    return answers.map((answer) => (Array.isArray(answer) ? { error: errorOf(answer) } : { claims: frozen(answer) }));
  }

  /** Returns what the module knows. */
  status() {
    const bindings = this.#living();
    return guarded(() => statusOf(bindings));
  }

  /** Whether every token is refused for want of a list that may still be used. */
  isStale() {
    if (this.#settings.revocations === null) return false; // whatever the clock says, or fails to say
    const [bindings, now] = [this.#living(), this.#now()];
    return guarded(() => bindings.isStale(now));
  }

  takeKeys(bytes) {
    const bindings = this.#living();
    accepted(() => loadKeys(bindings, bytes));
    const documents = this.#documents;
    if (!isSame(bytes, documents.keys)) {
      this.#cache?.clear(); // a key may have been withdrawn
      const kids = guarded(() => currentDesk().keyIds(bindings));
      // What such a key has signed is refused when the state is built again: it takes a full list by another one.
      if (documents.deltas.concat(documents.list ?? []).some((document) => !kids.includes(signerOf(document)))) documents.rebase(null);
    }
    documents.keys = bytes;
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
    let outcome = accepted(() => load(bindings, bytes, now));
    const documents = this.#documents;
    const { latest } = documents;
    // Bindings that are without their list, see #bind, would take one that is older than it was.
    const isBehind = outcome === "newer" && latest !== null && claimsOf(bytes).seq < claimsOf(latest).seq;
    if (isBehind) outcome = "older";
    if (!isFull(bytes)) {
      if (outcome === "newer") documents.append(bytes);
    } else if (outcome === "older") {
      if (documents.isLong) documents.rebaseBehind(bytes);
    } else if (outcome === "newer" || documents.all.length !== 1) {
      documents.rebase(bytes);
    }
    if (isBehind) {
      bindings.free();
      this.#bind({ orWithoutList: true });
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
    this.#cache = undefined;
  }

  #judge(bindings, token, now, scope) {
    const slot = this.#cache?.vacancy() ?? NO_SLOT;
    const answer = guarded(() => currentDesk().judge(bindings, token, scope, now, slot));
    if (Array.isArray(answer)) throw errorOf(answer);
    const claims = frozen(answer);
    this.#cache?.keep(currentDesk().copy(token), claims);
    return claims;
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
    let made = accepted(() => bindings(this.#settings, keys));
    try {
      for (const document of all) {
        if (accepted(() => load(made, document, now)) !== "newer") throw new ListError(NO_CHAIN);
      }
    } catch (error) {
      if (!(error instanceof ListError)) throw error; // a trap: these bindings died with their instance
      made.free();
      if (!orWithoutList) throw error;
      // Not even a part of them: what the first of them say is older than what was known.
      made = accepted(() => bindings(this.#settings, keys));
    }
    this.#bindings = made;
    this.#generation = generation;
  }
}

const TOO_LONG_KEYS = { code: "ERR_JWKS_INVALID", reason: "too_long", message: `the JWK Set is longer than ${MAX_KEYS_LENGTH} bytes` };
const TOO_LONG_LIST = { code: "ERR_REVLIST_INVALID", reason: "too_long", message: `the revocation list is longer than ${MAX_LIST_LENGTH} bytes` };
const NO_CHAIN = { code: "ERR_REVLIST_INVALID", reason: "base", message: "the delta does not apply to the list before it" };

/** Returns what `call` returns; a refusal is thrown as its error. */
function accepted(call) {
  const answer = guarded(call);
  if (Array.isArray(answer)) throw errorOf(answer);
  return answer;
}

function within(bytes, limit, Refusal, refusal) {
  if (bytes.length > limit) throw new Refusal(refusal);
}

function isSame(bytes, others) {
  return bytes.length === others.length && bytes.every((byte, at) => byte === others[at]);
}

function frozen(value) {
  if (typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
