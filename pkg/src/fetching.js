/**
 * One document is fetched whole, or a stream is read to its end, or a FetchError says why not.
 *
 * Neither the length nor the type that an answer announces is believed: bytes are counted as they are read, and what
 * they are is for their signature to say. No redirect is followed: only the issuer itself speaks for the issuer.
 */
import { FetchError } from "./errors.js";
import { EventStreamParser } from "./event-stream.js";

/**
 * Returns the bytes behind `url`.
 *
 * @param {string} url
 * @param {{ what: string, limit: number, fetch?: typeof globalThis.fetch, timeoutMillis: number, signals: (AbortSignal | undefined)[], later: import("./platform.js").Later }} settings
 *   `what` names the document in messages; `limit` is in bytes; any of `signals` ends the fetch.
 */
export async function fetchDocument(url, { what, limit, fetch = globalThis.fetch, timeoutMillis, signals, later }) {
  const fail = failing(what, url);
  const deadline = new Deadline(timeoutMillis, signals, later);
  try {
    const response = await orAborted(deadline.signal, answered(fetch, url, "no-cache", { signal: deadline.signal }));
    checkStatus(response, fail);
    return await readBody(response, limit, fail, deadline.signal);
  } catch (thrown) {
    if (thrown instanceof FetchError) throw thrown;
    throw fail(deadline.reason ?? "no answer", { cause: thrown });
  } finally {
    deadline.close();
  }
}

/**
 * Hands each event behind `url` to `onEvent`, also the rest of a chunk after `signal`; resolves when the stream ends, and rejects when `signal` ends it, whether
 * or not `fetch` heeds it. How long an event may be waited for is for the caller to say.
 *
 * @param {string} url
 * @param {{ fetch?: typeof globalThis.fetch, headers: Record<string, string>, signal: AbortSignal, onEvent: (event: { type: string, data: string }) => void }} settings
 */
export async function followEvents(url, { fetch = globalThis.fetch, headers, signal, onEvent }) {
  const fail = failing("the events", url);
  const init = { signal, headers: { Accept: "text/event-stream", ...headers } };
  const response = await orAborted(signal, answered(fetch, url, "no-store", init));
  checkStatus(response, fail);
  const type = response.headers.get("content-type") ?? "";
  if (!/^text\/event-stream *(?:;|$)/i.test(type) || typeof response.body?.getReader !== "function") {
    discardBody(response);
    throw fail("the answer is no stream of events", { status: response.status });
  }
  const parser = new EventStreamParser();
  for await (const chunk of chunks(response, signal)) {
    for (const event of parser.push(chunk)) onEvent(event);
  }
}

function failing(what, url) {
  return (why, more) => new FetchError(`fetching ${what} from ${url}: ${why}`, { url, ...more });
}

/** A promise in each case, also when an injected `fetch` throws. */
async function answered(fetch, url, cache, init) {
  const given = { method: "GET", redirect: "manual", ...init };
  // No cookies, and past the HTTP cache, which may hold a list that is seconds older than the one asked for.
  const more = { cache, credentials: "omit" };
  return fetch(url, understood(more) ? { ...given, ...more } : given);
}

/** Workers runtimes have neither, and throw when a request names them. */
function understood(members) {
  try {
    return new Request("https://issuer.invalid/", members) instanceof Request;
  } catch {
    return false;
  }
}

/** Not `ok`: a 204 or 206 is not the document. A redirect not followed is a 3xx, or in browsers the status 0. */
function checkStatus(response, fail) {
  const { status } = response;
  if (status === 200) return;
  discardBody(response);
  const isRedirect = response.type === "opaqueredirect" || (status >= 300 && status < 400);
  throw fail(isRedirect ? "redirects are not followed" : `status ${status}`, { status, retryAfter: retryAfter(response) });
}

/** RFC 9110 §10.2.3, in seconds only; a date would need the server's clock. */
function retryAfter({ headers }) {
  const value = headers?.get("retry-after") ?? "";
  return /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

async function readBody(response, limit, fail, signal) {
  if (response.body === null) return new Uint8Array(0);
  const read = [];
  let length = 0;
  for await (const chunk of chunks(response, signal)) {
    length += chunk.byteLength;
    if (length > limit) throw fail(`the answer is longer than ${limit} bytes`, { status: response.status });
    read.push(chunk);
  }
  return joined(read, length);
}

/** The body until `signal`; what is not read of it is cancelled, also where `fetch` heeds no signal. */
async function* chunks(response, signal) {
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await orAborted(signal, reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function joined(read, length) {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of read) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function discardBody(response) {
  response.body?.cancel().catch(() => {});
}

/** Settles as `promise` does, or rejects when the signal says so, whichever is first. */
function orAborted(signal, promise) {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Ends what is waited for when the time is over or one of the signals says so, even if `fetch` heeds no signal. */
class Deadline {
  #controller = new AbortController();
  #cancelTimer;
  #signals;
  #onAbort = ({ target }) => this.#end("it was aborted", target.reason);
  /** Why it ended, as a phrase; undefined while it has not. */
  reason;

  constructor(millis, signals, later) {
    this.#signals = signals.filter((signal) => signal !== undefined);
    this.#cancelTimer = later(() => this.#end(`no complete answer within ${millis / 1000} s`), millis);
    for (const signal of this.#signals) {
      if (signal.aborted) this.#onAbort({ target: signal });
      else signal.addEventListener("abort", this.#onAbort);
    }
  }

  get signal() {
    return this.#controller.signal;
  }

  close() {
    this.#cancelTimer();
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#onAbort);
  }

  #end(reason, cause) {
    this.reason = reason;
    this.#controller.abort(cause);
  }
}
