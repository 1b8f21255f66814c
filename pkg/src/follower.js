/**
 * Keeps key set and revocation list those of the issuer: by its stream of events, and by asking every few seconds
 * while there is none.
 *
 *     stream   each publication arrives by itself; nothing is asked
 *     poll     since/{seq} every few seconds, less often after failures; the stream is tried again meanwhile
 *
 * What does not lead on from the list held (a gap) is asked for: since/{seq}, then the full list. It does no I/O and
 * reads no clock itself: those come as `world`, what it keeps up to date as `target`.
 *
 * @typedef {object} World
 * @property {() => number} now the wall clock in milliseconds
 * @property {() => number} random from 0 up to 1
 * @property {import("./platform.js").Later} later
 * @property {(signal: AbortSignal) => Promise<Uint8Array>} keys
 * @property {(signal: AbortSignal) => Promise<Uint8Array>} list
 * @property {(signal: AbortSignal) => Promise<Uint8Array | undefined>} delta undefined: there is none, the list is to be fetched
 * @property {(signal: AbortSignal, onEvent: (event: { type: string, data: string }) => void) => Promise<void>} events
 * @property {(run: () => void) => () => void} onWaking
 *
 * @typedef {object} Target
 * @property {() => number | null} seq number of the list held
 * @property {() => boolean} wantsList whether a full list should take the place of many deltas now
 * @property {(document: Uint8Array) => "newer" | "same" | "older" | "gap"} take throws when the document is refused
 * @property {(keys: Uint8Array) => void} takeKeys throws when they are refused
 * @property {(error: unknown) => void} failed
 */
import { isForKey } from "./errors.js";
import { claimsOf } from "./heads.js";
import { KeyWatch } from "./key-watch.js";
import { backOff, isWithin, jittered } from "./pace.js";
import { StreamWatch } from "./stream-watch.js";

const MOST_BACK_OFF_MILLIS = 60_000;
/** A timer that is so much late has slept. */
const SLEPT_MILLIS = 10_000;
const SOON_MILLIS = 1_000;
/** A list that is announced may be behind a cache for some seconds. Beyond that there is none, perhaps: not all that announces is signed. */
const MOST_TRIES = 3;

export class Follower {
  #world;
  #target;
  #pollMillis;
  #keys;
  #stream;
  #closing = new AbortController();
  #cancelTimer;
  #cancelWaking;
  #checking = false;
  #asked; // what came up during a check: "delta" or "list"
  #failures = 0;
  #retryAfterMillis = 0;
  #announced = 0; // number of the list that the stream has told of last without bringing it
  #tries = 0; // checks for it that are left
  #refusedForKey = false; // a document was refused by its signature: newer keys may tell better
  #wokenAt = -Infinity;

  /**
   * @param {Target} target
   * @param {World} world
   * @param {{ pollMillis: number, keys: boolean, list: boolean }} settings which of the two are followed
   */
  constructor(target, world, { pollMillis, keys, list }) {
    this.#target = target;
    this.#world = { ...world, later: (run, millis) => this.#later(world, run, millis) };
    this.#pollMillis = pollMillis;
    if (keys) this.#keys = new KeyWatch(this.#world, () => this.#fetchKeys());
    if (list) {
      const hooks = { onEvent: (event) => this.#onEvent(event), onUp: () => this.#onUp(), onDown: (error) => this.#onDown(error) };
      this.#stream = new StreamWatch(this.#world, hooks);
    }
  }

  /** Begins; `atOnce` when what is held was not fetched just now. */
  start({ atOnce = false } = {}) {
    this.#cancelWaking = this.#world.onWaking(() => this.#wake());
    this.#keys?.start(atOnce ? 0 : undefined);
    if (this.#stream === undefined) return;
    this.#checkAfter(atOnce ? 0 : jittered(this.#pollMillis, this.#world.random));
    // Not in this call, whose caller has still to say what it listens to.
    this.#world.later(() => this.#stream.open(), 0);
  }

  /** By which way news arrive. */
  get transport() {
    if (this.#closing.signal.aborted) return "none";
    return this.#stream?.isUp === true ? "stream" : "poll";
  }

  /** A token named a key that is not there. */
  wantKeys() {
    this.#keys?.want();
  }

  /** Ends everything at once; nothing is called afterwards. */
  close() {
    this.#closing.abort();
    this.#cancelTimer?.();
    this.#cancelWaking?.();
    this.#keys?.close();
    this.#stream?.close();
  }

  get #isClosed() {
    return this.#closing.signal.aborted;
  }

  /** A timer of the world that notices when the runtime has slept. */
  #later(world, run, millis) {
    if (this.#isClosed) return () => {};
    const due = world.now() + millis;
    return world.later(() => {
      if (this.#isClosed) return;
      run();
      if (world.now() > due + SLEPT_MILLIS) this.#wake();
    }, millis);
  }

  #wake() {
    if (this.#isClosed || isWithin(this.#world.now(), this.#wokenAt, SOON_MILLIS)) return;
    this.#wokenAt = this.#world.now();
    this.#failures = 0;
    this.#keys?.wake();
    this.#stream?.wake();
    if (this.#stream?.isUp === false) this.#checkAfter(0);
  }

  /** The next check is then, whatever was planned before. */
  #checkAfter(millis) {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#world.later(() => void this.#check("delta"), millis);
  }

  /** Asks the issuer for what is newer. One at a time: what comes up meanwhile is done after. */
  async #check(kind) {
    this.#asked = kind;
    if (this.#checking) return;
    this.#checking = true;
    this.#cancelTimer?.();
    let [outcome, again, isBehind] = ["same", false, false];
    try {
      this.#asked = undefined;
      outcome = await this.#fetched(kind);
      this.#failures = 0;
      this.#retryAfterMillis = 0;
      again = this.#asked !== undefined;
      isBehind = this.#announced > (this.#target.seq() ?? 0) && this.#tries-- > 0;
    } catch (error) {
      this.#failed(error);
    }
    this.#checking = false;
    if (this.#isClosed) return;
    if (again && outcome === "newer") return void this.#check(this.#asked);
    this.#plan(again, isBehind);
  }

  #plan(again, isBehind) {
    if (this.#failures > 0) {
      const pause = backOff(this.#failures, { least: this.#pollMillis, most: MOST_BACK_OFF_MILLIS, random: this.#world.random });
      this.#checkAfter(Math.max(pause, Math.min(this.#retryAfterMillis, MOST_BACK_OFF_MILLIS)));
    } else if (again) {
      this.#checkAfter(jittered(Math.min(SOON_MILLIS, this.#pollMillis), this.#world.random));
    } else if (isBehind || !this.#stream.isUp) {
      this.#checkAfter(jittered(this.#pollMillis, this.#world.random));
    }
  }

  async #fetched(kind) {
    const { signal } = this.#closing;
    const delta = kind === "delta" && this.#target.seq() !== null ? await this.#world.delta(signal) : undefined;
    if (this.#isClosed) return "same";
    const outcome = delta === undefined ? "gap" : this.#take(delta);
    if (outcome !== "gap" && !this.#target.wantsList()) return outcome;
    const list = await this.#world.list(signal);
    return this.#isClosed ? "same" : this.#take(list);
  }

  #take(document) {
    const outcome = this.#target.take(document);
    this.#refusedForKey = false;
    return outcome;
  }

  #failed(error) {
    if (this.#isClosed) return;
    this.#failures += 1;
    this.#retryAfterMillis = (error?.retryAfter ?? 0) * 1000;
    this.#noticeKey(error);
    this.#target.failed(error);
  }

  #noticeKey(error) {
    this.#refusedForKey = isForKey(error);
    if (this.#refusedForKey) this.wantKeys();
  }

  async #fetchKeys() {
    try {
      const keys = await this.#world.keys(this.#closing.signal);
      if (this.#isClosed) return true;
      this.#target.takeKeys(keys);
    } catch (error) {
      if (!this.#isClosed) this.#target.failed(error);
      return false;
    }
    if (this.#refusedForKey && !this.#isClosed) this.#checkAfter(0);
    return true;
  }

  #onEvent({ type, data }) {
    if (type === "list") {
      // Not signed, so it is no sign of life; what it leads to is.
      const seq = Number(data);
      if (Number.isSafeInteger(seq) && seq > (this.#target.seq() ?? 0)) this.#seek(seq, "list");
      return "ignored";
    }
    if (type !== "message") return "ignored";
    try {
      const delta = new TextEncoder().encode(data);
      const outcome = this.#take(delta);
      if (this.#isClosed) return "ignored";
      if (outcome === "gap") this.#seek(claimsOf(delta).seq, "delta");
      else if (this.#target.wantsList()) this.#checkNow("list");
      return { newer: "heard", gap: "heard", same: "kept", older: "ignored" }[outcome];
    } catch (error) {
      if (this.#isClosed) return "ignored";
      this.#noticeKey(error);
      this.#target.failed(error);
      return this.#refusedForKey ? "ignored" : "broken";
    }
  }

  /** Asks for the list of this number, or a newer one. */
  #seek(seq, kind) {
    this.#announced = seq;
    this.#tries = MOST_TRIES;
    this.#checkNow(kind);
  }

  /** After a failure it is not the stream that says when the issuer is asked again. */
  #checkNow(kind) {
    if (this.#failures === 0) void this.#check(kind);
  }

  #onUp() {
    // What is being asked, or failed, is still to be had.
    if (!this.#checking && this.#failures === 0) this.#cancelTimer?.();
  }

  #onDown(error) {
    this.#target.failed(error);
    // Soon, but not in the same moment as everybody else whose stream has ended.
    if (this.#failures === 0) this.#checkAfter(this.#world.random() * Math.min(SOON_MILLIS, this.#pollMillis));
  }
}
