/**
 * The errors this package throws, by who is at fault: the token, the caller, the network, the key set, the list.
 *
 * Anything else that comes out of it is a defect of the package and passes through as it is.
 */

/** A token was refused; `code` is stable, `claim` and `reason` narrow it where they can. */
export class VerificationError extends Error {
  name = "VerificationError";

  /** @param {{ code: string, claim?: string | null, reason?: string | null, message: string }} refusal */
  constructor({ code, claim, reason, message }) {
    super(message);
    this.code = code;
    this.claim = claim ?? undefined;
    this.reason = reason ?? undefined;
  }
}

/** The package was used in a way it does not offer; no token, key set or list can cause this. */
export class UsageError extends TypeError {
  name = "UsageError";
  code = "ERR_USAGE";
}

/** Something could not be fetched: no answer, an answer other than 200, too long, or too late. */
export class FetchError extends Error {
  name = "FetchError";
  code = "ERR_FETCH";

  /**
   * @param {string} message
   * @param {{ url: string, status?: number, retryAfter?: number, cause?: unknown }} circumstances
   */
  constructor(message, { url, status, retryAfter, cause }) {
    super(message, cause === undefined ? undefined : { cause });
    this.url = url;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** A JWK Set was refused whole; the set used until then stays in use. */
export class KeySetError extends Error {
  name = "KeySetError";

  constructor({ code, reason, message }) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

/** A revocation list was refused; the list used until then stays in use. */
export class ListError extends Error {
  name = "ListError";

  constructor({ code, reason, message }) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

/** Whether a list was refused by its signature: it may be by a key that is new. */
export function isForKey(error) {
  return error instanceof ListError && error.reason === "signature";
}

const byKind = { token: VerificationError, keys: KeySetError, list: ListError };

/**
 * Returns the error for a refusal of the wasm side, which verifier-wasm/src/answer.rs describes.
 *
 * @param {any[]} refusal
 */
export function errorOf([kind, code, claim, reason, message]) {
  return kind === "usage" ? new UsageError(message) : new byKind[kind]({ code, claim, reason, message });
}
