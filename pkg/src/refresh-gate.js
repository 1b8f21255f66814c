/**
 * Decides what one call of `refresh({ ifOlderThan })` fetches itself, by what others have fetched or are fetching.
 *
 * Only times are shared between calls, never a promise: in Workers a request that waits for another one's I/O hangs
 * when that one is cancelled. So nobody is waited for, and a call that never returns holds nobody up for long.
 */
import { COOL_DOWN_MILLIS, KEYS_EVERY_MILLIS } from "./key-watch.js";
import { isWithin } from "./pace.js";

const MOST_BACK_OFF_MILLIS = 5_000;

export class RefreshGate {
  #checkedAt = -Infinity; // the newest list was held
  #keysAt = -Infinity;
  #claimedAt = -Infinity; // somebody began to fetch
  #failedAt = -Infinity;
  #failures = 0;
  #keysWanted = false;
  #wantedAt = -Infinity; // the last fetch for an unknown key

  /** The newest list of the issuer is held. */
  checked(now) {
    this.#checkedAt = now;
    this.#failures = 0;
  }

  keysFetched(now) {
    this.#keysAt = now;
    this.#keysWanted = false; // also what came up while they were fetched: it hardly ever is for a key published since
  }

  /** Something named a key that is not there. */
  wantKeys() {
    this.#keysWanted = true;
  }

  failed(now) {
    this.#failedAt = now;
    this.#failures += 1;
    this.#claimedAt = -Infinity;
  }

  /** A call has ended well. */
  release() {
    this.#claimedAt = -Infinity;
  }

  /**
   * A call was ended by its caller, which says nothing of the issuer: what it was to fetch is as due as before.
   *
   * @param {{ unknownKey?: boolean }} due what the call has claimed
   */
  abandoned({ unknownKey }) {
    this.release();
    if (unknownKey) this.#wantedAt = -Infinity;
  }

  /**
   * Returns what to fetch, and takes note that it is being fetched.
   *
   * @param {{ now: number, olderThanMillis: number, isStale: boolean, fetchesKeys: boolean, fetchesRevocations: boolean }} call
   * @returns {{ keys: boolean, list: boolean, unknownKey?: boolean }} `unknownKey` is whether an unknown key is the reason
   */
  claim({ now, olderThanMillis, isStale, fetchesKeys, fetchesRevocations }) {
    const unknownKey = this.#keysWanted && !isWithin(now, this.#wantedAt, COOL_DOWN_MILLIS);
    const keys = fetchesKeys && (unknownKey || !isWithin(now, this.#keysAt, KEYS_EVERY_MILLIS));
    const list = fetchesRevocations && (isStale || !isWithin(now, this.#checkedAt, olderThanMillis));
    const nothing = { keys: false, list: false };
    if (!keys && !list) return nothing;
    if (olderThanMillis > 0) {
      const backOff = Math.min(MOST_BACK_OFF_MILLIS, 250 * 2 ** Math.min(this.#failures, 10));
      if (this.#failures > 0 && isWithin(now, this.#failedAt, backOff)) return nothing;
      if (!isStale && isWithin(now, this.#claimedAt, olderThanMillis)) return nothing;
    }
    this.#claimedAt = now;
    if (unknownKey) this.#wantedAt = now;
    return { keys, list, unknownKey };
  }
}
