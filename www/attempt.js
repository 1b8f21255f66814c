/**
 * Trying something that can fail: one thing at a time, and a failure becomes a notice at its place on the
 * page and a line in the log, never an unhandled error.
 *
 * @module attempt
 */

import { ApiError } from "./fault.js";

/** What to do about an error of the verifier that is not a token's fault. */
const ADVICE = Object.freeze({
  ERR_FETCH: "Switch the network on, or see whether the daemon is running. Verification works without it.",
  ERR_USAGE: "Correct what this verifier asks for.",
  ERR_JWKS_INVALID: "The keys held before stay in use. Look into the daemon’s log.",
  ERR_REVLIST_INVALID: "The list held before stays in use. Look into the daemon’s log.",
  ERR_REVLIST_FUTURE: "The clock of this machine or of the issuer is wrong by more than a day. Correct it.",
  ERR_REVLIST_EQUIVOCATION: "Alarm: the issuer has signed two lists of one number. Tell its operator.",
});

/** A failure as a notice: what happened, its code, and what to do. */
function noticeOf(error) {
  if (error instanceof ApiError) return { text: error.message, code: error.code, advice: error.advice };
  const code = error.code ?? error.name;
  return { text: error.message, code, advice: ADVICE[code] ?? "Load the page again; if it stays so, look into the daemon’s log." };
}

/** Whether two notices, or none, say the same. */
const saysTheSame = (one, other) => one?.code === other?.code && one?.text === other?.text;

/** The place shows this notice, or none. One that is there already is left alone, so that it is announced once. */
function setNotice(store, place, notice) {
  const { notices } = store.read();
  if (!saysTheSame(notices[place], notice)) store.change({ notices: { ...notices, [place]: notice } });
}

/**
 * A function that runs a task alone and gives true when it succeeded; else the failure is shown at `place`
 * and written into the log as of `side`.
 *
 * @returns {(place: string, side: string, task: () => Promise<void>) => Promise<boolean>}
 */
export function createAttempt(store, record) {
  return async (place, side, task) => {
    if (store.read().busy !== null) return false;
    store.change({ busy: place });
    setNotice(store, place, null);
    try {
      await task();
      return true;
    } catch (error) {
      const notice = noticeOf(error);
      setNotice(store, place, notice);
      record({ side, tone: "bad", text: `${notice.text}. ${notice.advice}`, code: notice.code });
      return false;
    } finally {
      store.change({ busy: null });
    }
  };
}
