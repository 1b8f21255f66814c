/**
 * Hands what a verifier knows to its store: one save at a time, the newest wins, and not more often than is of use.
 *
 * A store that fails is told of and tried again at the next change; it harms nothing else.
 */

import { platform } from "./platform.js";
import { packed } from "./stored.js";

/** What has been revoked is stored soon: from an old state it would be accepted offline. */
const URGENT_MILLIS = 1_000;
/** A list signed again only lives longer. */
const ORDINARY_MILLIS = 15_000;

export class Saver {
  #settings;
  #documents = () => undefined;
  #savedAt = -Infinity;
  #dirty = false;
  #urgent = false;
  #saving = false;
  #cancelTimer;
  #closed = false;
  #loadError;
  /** @type {unknown} */
  #saveError = null;

  /**
   * @param {{ issuer: string, store: { save(bytes: Uint8Array): Promise<void> }, timeoutMillis: number }} settings
   * @param {unknown} [loadError] why what was stored was not used
   */
  constructor(settings, loadError = null) {
    this.#settings = settings;
    this.#loadError = loadError;
  }

  /** Why the last save failed, or why what was stored at the beginning was not used; null when neither is so. */
  get error() {
    return this.#saveError ?? this.#loadError;
  }

  /** From now on these documents are what is saved; undefined while there is nothing to save. */
  watches(documents) {
    this.#documents = documents;
  }

  /** The documents have changed. In the background they are saved when that is due, in Workers by `settle`. */
  changed({ urgent }) {
    this.#dirty = true;
    this.#urgent ||= urgent;
    if (platform.background) this.#saveInTime();
  }

  /** In Workers: saves what has changed, if that is due. Whoever calls this waits for their own save only. */
  async settle() {
    // What is urgent has no later there: the next call may be another day's.
    if (!platform.background && this.#dirty && (this.#urgent || this.#wait() <= 0)) await this.#save();
  }

  /** What has changed is saved once more, after a save under way, and nobody waits for it; in Workers only by a call under way. */
  close() {
    const documents = this.#documents();
    this.#documents = () => documents; // those of the owner are gone by then
    this.#closed = true;
    this.#savedAt = -Infinity; // so it is due
    if (platform.background) this.#saveInTime();
  }

  #saveInTime() {
    this.#cancelTimer?.();
    // What cannot be saved now stays to be saved: `changed` is called when it can be again.
    if (!this.#dirty || this.#saving || this.#documents() === undefined) return;
    const wait = this.#wait();
    if (wait > 0) {
      this.#cancelTimer = platform.later(() => this.#saveInTime(), wait);
      return;
    }
    this.#saving = true;
    void this.#save().then(() => {
      this.#saving = false;
      this.#saveInTime();
    });
  }

  #wait() {
    const since = Date.now() - this.#savedAt;
    return since < 0 ? 0 : (this.#urgent ? URGENT_MILLIS : ORDINARY_MILLIS) - since; // below 0: the clock went back
  }

  async #save() {
    const documents = this.#documents();
    if (documents === undefined) return;
    this.#dirty = false;
    this.#urgent = false;
    this.#savedAt = Date.now();
    const { issuer, store, timeoutMillis } = this.#settings;
    const told = (error) => (this.#saveError = error);
    const saved = (async () => store.save(packed(issuer, documents)))().then(() => told(null), (error) => {
      this.#dirty ||= !this.#closed;
      told(error);
    });
    await inTime(saved, timeoutMillis, platform.later).catch((error) => {
      // What a request began ends with it; elsewhere a save is waited for however late it is: the next one could be overtaken by it.
      this.#dirty ||= !platform.background;
      told(error);
    });
    if (platform.background) await saved;
  }
}

/** Settles as `promise` does, or rejects when that takes too long: a store that hangs is one that fails. */
export function inTime(promise, millis, later) {
  return new Promise((resolve, reject) => {
    const cancel = later(() => reject(new Error(`the store gave no answer within ${millis / 1000} s`)), millis);
    Promise.resolve(promise).then(resolve, reject).finally(cancel);
  });
}
