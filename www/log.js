/**
 * The record of what happened on the page, in plain words. Pure: an entry is a value, a log is a list of
 * them, newest first.
 *
 *     {number, at, side, tone, text, code}
 *     side   "you" | "issuer" | "verifier" | "network"
 *     tone   "plain" | "good" | "bad"
 *     at     milliseconds of the page's clock
 *
 * @module log
 */

/** How many entries are kept: enough for a long demonstration, few enough to scroll. */
export const CAPACITY = 200;

/**
 * The log with one more entry in front; the oldest one falls out beyond {@link CAPACITY}.
 *
 * @param {ReadonlyArray<object>} log
 * @param {{side: string, text: string, tone?: string, code?: string | null}} entry
 * @param {number} at
 */
export function record(log, { side, text, tone = "plain", code = null }, at) {
  const number = (log[0]?.number ?? 0) + 1;
  return Object.freeze([Object.freeze({ number, at, side, tone, text, code }), ...log].slice(0, CAPACITY));
}

/** A function that writes entries into the store's log with the time of `clock`. */
export function createRecorder(store, clock) {
  return (entry) => store.change({ log: record(store.read().log, entry, clock.milliseconds()) });
}
