/**
 * Holds the issuer's stream of events open where that is possible, and tells when it is not.
 *
 *     closed → opening → up → closed → …
 *
 * It is up from its first authentic document on, and no longer than that brings another one: what arrives besides, and
 * what is replayed, does not count. The issuer signs its list again every 15 seconds.
 */
import { backOff, isWithin } from "./pace.js";

const HEARTBEAT_MILLIS = 15_000;
/** A heartbeat may be late by this much before it counts as missing. */
const LATE_MILLIS = 10_000;
const RETRY = { least: 1_000, most: 300_000 };

export class StreamWatch {
  #world;
  #hooks;
  #attempt; // undefined while closed
  #cancelRetry;
  #failures = 0;
  #heardAt;

  /**
   * @param {import("./follower.js").World} world
   * @param {{ onEvent: (event: { type: string, data: string }) => "heard" | "kept" | "ignored" | "broken", onUp: () => void, onDown: (error: unknown) => void }} hooks
   *   `onEvent` tells whether the document was news, the state held already, nothing, or a reason to end the stream;
   *   `onDown` is called when a stream that was up has ended.
   */
  constructor(world, hooks) {
    this.#world = world;
    this.#hooks = hooks;
  }

  get isUp() {
    return this.#attempt?.isUp === true;
  }

  open() {
    this.#cancelRetry?.();
    this.#drop(this.#attempt);
    const attempt = { controller: new AbortController(), isUp: false, cancelSilence: undefined };
    this.#attempt = attempt;
    this.#expectWithin(attempt);
    const onEvent = (event) => attempt === this.#attempt && this.#take(attempt, event);
    this.#world.events(attempt.controller.signal, onEvent).then(
      () => this.#end(attempt, new Error("the stream has ended")),
      (error) => this.#end(attempt, error),
    );
  }

  /** The runtime may have slept: a stream that should have brought something since is not waited for. */
  wake() {
    if (this.isUp && isWithin(this.#world.now(), this.#heardAt, HEARTBEAT_MILLIS)) return;
    this.#failures = 0;
    this.open();
  }

  close() {
    this.#cancelRetry?.();
    this.#drop(this.#attempt);
  }

  #take(attempt, event) {
    const found = this.#hooks.onEvent(event);
    if (attempt !== this.#attempt) return; // a listener has closed the verifier
    if (found === "broken") return this.#end(attempt, new Error("an event is none of the issuer's"));
    if (found !== "heard" && !(found === "kept" && !attempt.isUp)) return;
    this.#heardAt = this.#world.now();
    this.#expectWithin(attempt);
    if (attempt.isUp) {
      this.#failures = 0; // it has brought more than its greeting
      return;
    }
    attempt.isUp = true;
    this.#hooks.onUp();
  }

  #expectWithin(attempt) {
    attempt.cancelSilence?.();
    const silent = () => this.#end(attempt, new Error("the stream has fallen silent"));
    attempt.cancelSilence = this.#world.later(silent, HEARTBEAT_MILLIS + LATE_MILLIS);
  }

  #end(attempt, error) {
    if (attempt !== this.#attempt) return;
    this.#drop(attempt);
    this.#failures += 1;
    this.#cancelRetry = this.#world.later(() => this.open(), backOff(this.#failures, { ...RETRY, random: this.#world.random }));
    if (attempt.isUp) this.#hooks.onDown(error);
  }

  #drop(attempt) {
    this.#attempt = undefined;
    attempt?.cancelSilence();
    attempt?.controller.abort();
  }
}
