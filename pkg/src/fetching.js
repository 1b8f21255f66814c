/**
 * One document is fetched whole, or a FetchError says why not.
 *
 * Neither the length nor the type that an answer announces is believed: bytes are counted as they are read, and what
 * they are is for their signature to say. No redirect is followed: only the issuer itself speaks for the issuer.
 */
import { FetchError } from "./errors.js";

/**
 * Returns the bytes behind `url`.
 *
 * @param {string} url
 * @param {{ what: string, limit: number, fetch?: typeof globalThis.fetch, timeoutMillis: number, signals: (AbortSignal | undefined)[] }} settings
 *   `what` names the document in messages; `limit` is in bytes; any of `signals` ends the fetch.
 */
export async function fetchDocument(url, { what, limit, fetch = globalThis.fetch, timeoutMillis, signals }) {
  const fail = (why, more) => new FetchError(`fetching ${what} from ${url}: ${why}`, { url, ...more });
  const deadline = new Deadline(timeoutMillis, signals);
  try {
    const response = await deadline.orRejects(answered(fetch, url, deadline.signal));
    // Not `ok`: a 204 or 206 is not the document. A redirect not followed is a 3xx, or in browsers the status 0.
    if (response.status !== 200) {
      discardBody(response);
      throw fail(isRedirect(response) ? "redirects are not followed" : `status ${response.status}`, { status: response.status });
    }
    return await deadline.orRejects(readBody(response, limit, fail));
  } catch (thrown) {
    if (thrown instanceof FetchError) throw thrown;
    throw fail(deadline.reason ?? "no answer", { cause: thrown });
  } finally {
    deadline.close();
  }
}

async function answered(fetch, url, signal) {
  const init = { method: "GET", redirect: "manual", signal };
  return fetch(url, understood(BROWSER_MEMBERS) ? { ...init, ...BROWSER_MEMBERS } : init);
}

/** No cookies, and past the HTTP cache, which may hold a list that is seconds older than the one asked for. */
const BROWSER_MEMBERS = { cache: "no-cache", credentials: "omit" };

/** Workers runtimes have neither, and throw when a request names them. */
function understood(members) {
  try {
    return new Request("https://issuer.invalid/", members) instanceof Request;
  } catch {
    return false;
  }
}

function isRedirect(response) {
  return response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400);
}

async function readBody(response, limit, fail) {
  if (response.body === null) return new Uint8Array(0);
  const reader = response.body.getReader();
  const chunks = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(chunks, length);
    length += value.byteLength;
    if (length > limit) {
      reader.cancel().catch(() => {});
      throw fail(`the answer is longer than ${limit} bytes`, { status: response.status });
    }
    chunks.push(value);
  }
}

function joined(chunks, length) {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function discardBody(response) {
  response.body?.cancel().catch(() => {});
}

/** Ends what is waited for when the time is over or one of the signals says so, even if `fetch` heeds no signal. */
class Deadline {
  #controller = new AbortController();
  #timer;
  #signals;
  #onAbort = ({ target }) => this.#end("it was aborted", target.reason);
  /** Why it ended, as a phrase; undefined while it has not. */
  reason;

  constructor(millis, signals) {
    this.#signals = signals.filter((signal) => signal !== undefined);
    this.#timer = setTimeout(() => this.#end(`no complete answer within ${millis / 1000} s`), millis);
    for (const signal of this.#signals) {
      if (signal.aborted) this.#onAbort({ target: signal });
      else signal.addEventListener("abort", this.#onAbort);
    }
  }

  get signal() {
    return this.#controller.signal;
  }

  orRejects(promise) {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort);
      promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  close() {
    clearTimeout(this.#timer);
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#onAbort);
  }

  #end(reason, cause) {
    this.reason = reason;
    this.#controller.abort(cause);
  }
}
