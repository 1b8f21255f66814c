/**
 * Where a verifier's key set and revocation list come from when they are not given: their issuer's public URLs.
 */
import { FetchError } from "./errors.js";
import { fetchDocument, followEvents } from "./fetching.js";
import { platform } from "./platform.js";

/** Bytes that a fetched JWK Set may have. */
export const MAX_KEYS_LENGTH = 64 * 1024;
/** Bytes that a fetched revocation list may have. */
export const MAX_LIST_LENGTH = 16 * 1024 * 1024;
/** Bytes that a delta may have. */
const MAX_DELTA_LENGTH = 32 * 1024;
/** What an issuer answers that has no delta for a list, or knows of no deltas at all; 0 is a redirect in a browser. */
const NO_DELTA = [0, 303, 404, 410];

/** The documents of one issuer, by their URLs. */
export class Sources {
  #base;
  #fetch;
  #timeoutMillis;
  #later;

  /**
   * @param {{ issuer: string | null, fetch?: typeof globalThis.fetch, timeoutMillis: number }} settings
   * @param {{ background?: boolean }} [use] in the background nothing that is fetched keeps a program from ending
   */
  constructor({ issuer, fetch, timeoutMillis }, { background = false } = {}) {
    this.#base = issuer?.replace(/\/$/, ""); // where there is none nothing is fetched
    this.#fetch = fetch ?? (background ? platform.backgroundFetch : undefined);
    this.#timeoutMillis = timeoutMillis;
    this.#later = background ? platform.later : awaited;
  }

  /** Returns the bytes of the issuer's JWK Set. */
  keys(...signals) {
    return this.#document("/.well-known/jwks.json", "the JWK Set", MAX_KEYS_LENGTH, signals);
  }

  /** Returns the bytes of the issuer's revocation list. */
  list(...signals) {
    return this.#document("/revocations", "the revocation list", MAX_LIST_LENGTH, signals);
  }

  /** Returns the bytes of the delta that leads from the list of this number to the newest, if there is one. */
  async delta(seq, ...signals) {
    try {
      return await this.#document(`/revocations/since/${seq}`, "a delta of the revocation list", MAX_DELTA_LENGTH, signals);
    } catch (error) {
      if (error instanceof FetchError && NO_DELTA.includes(error.status ?? NaN)) return undefined;
      throw error;
    }
  }

  /** Hands on each event of the issuer until the stream ends. */
  events(seq, signal, onEvent) {
    const headers = platform.freeHeaders ? { "Last-Event-ID": String(seq) } : {};
    return followEvents(`${this.#base}/revocations/events`, { fetch: this.#fetch, headers, signal, onEvent });
  }

  #document(path, what, limit, signals) {
    const settings = { what, limit, fetch: this.#fetch, timeoutMillis: this.#timeoutMillis, signals, later: this.#later };
    return fetchDocument(this.#base + path, settings);
  }
}

/** A timer that somebody waits for: it does keep a program from ending. */
export function awaited(run, millis) {
  const timer = setTimeout(run, millis);
  return () => clearTimeout(timer);
}
