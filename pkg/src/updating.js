/**
 * How what a verifier knows is brought up to date: by a refresh that a caller waits for, and by following the issuer. Each
 * way ends here, so there is one place where a document is taken and what that changes is told.
 */
import { isForKey, ListError, UsageError } from "./errors.js";
import { Follower } from "./follower.js";
import { claimsOf, isFull } from "./heads.js";
import { isWithin } from "./pace.js";
import { platform } from "./platform.js";
import { RefreshGate } from "./refresh-gate.js";
import { inTime } from "./saver.js";
import { Sources } from "./sources.js";

/** A full list in place of many deltas is not urgent. */
const LIST_EVERY_MILLIS = 30_000;
/** A list waits so long for keys that are fetched with it: they may withdraw the one that signed it. */
const KEYS_FIRST_MILLIS = 250;
const ALARMS = ["ERR_REVLIST_FUTURE", "ERR_REVLIST_EQUIVOCATION"];

/**
 * @typedef {object} Owner The verifier that is kept up to date.
 * @property {() => import("./state.js").State} state throws once it is closed
 * @property {() => import("./documents.js").Documents | undefined} documents undefined once it is closed
 * @property {() => number} now whole seconds by its clock
 * @property {() => boolean} isStale
 * @property {(type: string, detail: object) => void} tell
 * @property {() => void} listChanged
 */

export class Updating {
  #settings;
  /** @type {Owner} */
  #owner;
  #saver;
  #follower;
  #gate = new RefreshGate();
  #listAt = -Infinity; // the last fetch of a full list
  #turns = 0; // fetches of the key set begun so far
  #keysFrom = 0; // the one that brought the key set in use
  /** When the issuer last told what it holds to be newest. @type {number | null} */
  lastContact = null;
  /** @type {unknown} */
  lastError;

  /**
   * @param {ReturnType<typeof import("./options.js").verifierSettings>} settings
   * @param {Owner} owner
   * @param {{ isFetched: boolean, lastError?: unknown, saver?: import("./saver.js").Saver }} origin
   *   `isFetched` is whether the state is what the issuer said just now
   */
  constructor(settings, owner, { isFetched, lastError = null, saver }) {
    this.#settings = settings;
    this.#owner = owner;
    this.#saver = saver;
    this.lastError = lastError;
    saver?.watches(() => this.#toSave());
    if (isFetched) {
      this.#isUpToDate();
      this.#gate.keysFetched(Date.now());
    }
    if (settings.follow) this.#follow(isFetched);
  }

  get isFollowing() {
    return this.#follower !== undefined;
  }

  get transport() {
    return this.#follower?.transport ?? "none";
  }

  get storeError() {
    return this.#saver?.error ?? null;
  }

  /** A token or a list named a key that is not there. */
  wantKeys() {
    this.#gate.wantKeys();
    this.#follower?.wantKeys();
  }

  /**
   * Fetches again what is fetched; with `olderThanMillis` what of it is due, and of the list no more than has changed.
   *
   * @param {ReturnType<typeof import("./options.js").refreshSettings>} settings
   */
  async refresh({ signal, olderThanMillis }) {
    const { fetchesKeys, fetchesRevocations } = this.#settings;
    if (!fetchesKeys && !fetchesRevocations) throw new UsageError("there is nothing to fetch: keys and revocations were given");
    if (olderThanMillis === undefined) return this.#fetchBoth({ keys: fetchesKeys, list: fetchesRevocations }, (sources) => this.#list(sources, signal), signal);
    const due = this.#gate.claim({ now: Date.now(), olderThanMillis, isStale: this.#owner.isStale(), fetchesKeys, fetchesRevocations });
    if (!due.keys && !due.list) return;
    try {
      await this.#fetchBoth(due, (sources) => this.#newest(sources, signal), signal);
      if (this.#owner.isStale()) this.#gate.failed(Date.now()); // an issuer without a fresh list is not asked by every call either
      else this.#gate.release();
    } catch (error) {
      // Anybody can go away before an answer, and would hold up all others. Patience that is at its end tells of the issuer.
      if (signal?.aborted && signal.reason?.name !== "TimeoutError") this.#gate.abandoned(due);
      else this.#gate.failed(Date.now());
      throw error;
    }
  }

  /** Before the owner's state is given up. */
  close() {
    this.#follower?.close();
    this.#saver?.close();
  }

  /** Fetches keys, list or both; each is taken if it can be, whatever becomes of the other, and the keys first unless they are late. */
  async #fetchBoth({ keys, list }, fetchList, signal) {
    const sources = new Sources(this.#settings);
    const turn = (this.#turns += 1);
    const keysTaken = keys && sources.keys(signal).then((bytes) => this.#takeKeys(bytes, turn));
    const listTaken = list && fetchList(sources).then(async (bytes) => {
      if (keys) await inTime(keysTaken, KEYS_FIRST_MILLIS, platform.later).catch(() => {}); // which is told below
      try {
        await this.#takeFetched(bytes, sources, signal);
      } catch (error) {
        if (!keys || !isForKey(error)) throw error;
        await keysTaken; // which may bring the key
        await this.#takeFetched(bytes, sources, signal);
      }
    });
    const settled = await Promise.allSettled([keysTaken, listTaken]);
    await this.#saver?.settle();
    for (const taken of settled) if (taken.status === "rejected") throw taken.reason;
  }

  /** Returns the delta that leads to the newest list, or that list. */
  async #newest(sources, signal) {
    const { seq } = this.#owner.state().status();
    return (seq === null ? undefined : await sources.delta(seq, signal)) ?? this.#list(sources, signal);
  }

  #list(sources, signal) {
    this.#listAt = Date.now();
    return sources.list(signal);
  }

  /** Whether a full list should take the place of many deltas now. */
  #wantsList() {
    return this.#owner.state().documents.isLong && !isWithin(Date.now(), this.#listAt, LIST_EVERY_MILLIS);
  }

  async #takeFetched(bytes, sources, signal) {
    const outcome = this.#take(bytes);
    // A delta of another list than was held meanwhile, or one of too many.
    if (outcome === "gap" || (!isFull(bytes) && this.#wantsList())) this.#take(await this.#list(sources, signal));
  }

  #takeKeys(bytes, turn) {
    if (turn < this.#keysFrom) return; // a fetch begun later was answered sooner
    this.#owner.state().takeKeys(bytes);
    this.#keysFrom = turn;
    this.#gate.keysFetched(Date.now());
    this.#saver?.changed({ urgent: false });
  }

  /** Takes a full list or a delta, and tells what that changes. */
  #take(bytes) {
    const state = this.#owner.state();
    const { entries: before } = state.status();
    const { list, latest } = state.documents;
    let outcome;
    try {
      outcome = state.take(bytes);
    } catch (error) {
      if (isForKey(error)) this.#gate.wantKeys();
      if (error instanceof ListError && ALARMS.includes(error.code)) this.#owner.tell("alarm", { error });
      throw error;
    }
    if (outcome === "newer") this.#grown(bytes, before ?? 0, latest);
    else if (state.documents.list !== list) this.#saver?.changed({ urgent: false });
    if (outcome === "newer" || outcome === "same") this.#isUpToDate();
    return outcome;
  }

  #grown(bytes, before, latest) {
    const [former, claims] = [latest === null ? {} : claimsOf(latest), claimsOf(bytes)];
    const { seq, entries } = this.#owner.state().status();
    const hasEntries = isFull(bytes) ? former.id !== claims.id : claims.add !== undefined;
    const grows = hasEntries || (claims.cut !== undefined && JSON.stringify(claims.cut) !== JSON.stringify(former.cut));
    this.#saver?.changed({ urgent: grows });
    // Entries that are over drop out with the same document.
    if (grows) this.#owner.tell("revoked", { seq, entries, added: Math.max(0, entries - before) });
    this.#owner.listChanged();
  }

  /** Undefined when the state could not be built again from its documents. */
  #toSave() {
    const documents = this.#owner.documents();
    return documents?.list === null && this.#settings.fetchesRevocations ? undefined : documents;
  }

  /** The issuer has been heard, and what it says is held. */
  #isUpToDate() {
    this.lastContact = this.#owner.now();
    this.lastError = null;
    this.#gate.checked(Date.now());
  }

  #follow(isFetched) {
    const { fetchesKeys, fetchesRevocations, pollMillis } = this.#settings;
    const sources = new Sources(this.#settings, { background: true });
    const seq = () => this.#owner.state().status().seq;
    let turn;
    const world = {
      now: Date.now,
      random: Math.random,
      later: platform.later,
      onWaking: platform.onWaking,
      keys: (signal) => {
        turn = this.#turns += 1;
        return sources.keys(signal);
      },
      list: (signal) => this.#list(sources, signal),
      delta: (signal) => sources.delta(seq(), signal),
      // Async, since `seq` may throw: in a timer that would end a Node process.
      events: async (signal, onEvent) => sources.events(seq() ?? 0, signal, onEvent),
    };
    const target = {
      seq,
      wantsList: () => this.#wantsList(),
      take: (bytes) => this.#take(bytes),
      takeKeys: (bytes) => this.#takeKeys(bytes, turn),
      failed: (error) => (this.lastError = error),
    };
    this.#follower = new Follower(target, world, { pollMillis, keys: fetchesKeys, list: fetchesRevocations });
    this.#follower.start({ atOnce: !isFetched });
  }
}
