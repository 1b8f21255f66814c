/**
 * Fetches the key set again every few minutes, and when something names a key that is not in it: at most once per
 * cool-down, since anybody can make a token that names a key nobody has.
 */
import { isWithin, jittered } from "./pace.js";

export const KEYS_EVERY_MILLIS = 300_000;
export const COOL_DOWN_MILLIS = 30_000;

export class KeyWatch {
  #world;
  #fetch;
  #cancelTimer;
  #begun; // the last fetch
  #wanted = -Infinity; // the last fetch for an unknown key
  #isWanted = false;
  #running = false;

  /**
   * @param {import("./follower.js").World} world
   * @param {() => Promise<boolean>} fetch fetches the key set and puts it to use; whether that worked
   */
  constructor(world, fetch) {
    this.#world = world;
    this.#fetch = fetch;
  }

  /** From now on the key set is fetched, the first time after `millis`. */
  start(millis = jittered(KEYS_EVERY_MILLIS, this.#world.random)) {
    this.#begun = this.#world.now();
    this.#runAfter(millis);
  }

  /** Something named a key that is not there. */
  want() {
    // The one under way may have been answered before the key was published, but hardly ever was.
    if (this.#isWanted || this.#running) return;
    this.#isWanted = true;
    const since = this.#world.now() - this.#wanted;
    this.#runAfter(since < 0 ? COOL_DOWN_MILLIS : Math.max(0, COOL_DOWN_MILLIS - since)); // below 0: the clock went back
  }

  /** The runtime may have slept: what is due is done. */
  wake() {
    if (!isWithin(this.#world.now(), this.#begun, KEYS_EVERY_MILLIS)) this.#runAfter(0);
  }

  close() {
    this.#cancelTimer?.();
  }

  #runAfter(millis) {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#world.later(() => this.#run(), millis);
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    this.#begun = this.#world.now();
    if (this.#isWanted) this.#wanted = this.#begun;
    this.#isWanted = false;
    const fetched = await this.#fetch();
    this.#running = false;
    this.#runAfter(jittered(fetched ? KEYS_EVERY_MILLIS : COOL_DOWN_MILLIS, this.#world.random));
  }
}
