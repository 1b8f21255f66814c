/**
 * Time that passes only when a test says so, in place of the platform's timers and clock. Promises go their real way.
 */
import { mock } from "node:test";
import { platform, runsOn } from "../../pkg/src/platform.js";

export class VirtualTime {
  #timers = new Set();
  #restores = [];

  /** @param {number} start in seconds since 1970 */
  constructor(start) {
    this.millis = start * 1000;
  }

  now = () => this.millis;
  seconds = () => Math.floor(this.millis / 1000);

  later = (run, millis) => {
    const timer = { run, at: this.millis + millis };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  get timers() {
    return this.#timers.size;
  }

  /** Seconds pass, and all that falls due in them happens, each with what follows from it at once. */
  async pass(seconds) {
    const until = this.millis + seconds * 1000;
    await settled();
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.millis = Math.max(this.millis, next.at);
      this.#timers.delete(next);
      next.run();
      await settled();
    }
    this.millis = until;
  }

  /** Seconds pass in which nothing happens, as when a computer sleeps. */
  sleep(seconds) {
    this.millis += seconds * 1000;
  }

  /** The package lives in this time until the test ends. */
  rules(context) {
    const before = { ...platform };
    const clock = mock.method(Date, "now", this.now);
    runsOn({ later: this.later });
    context.after(() => {
      clock.mock.restore();
      runsOn(before);
    });
    return this;
  }
}

/** Everything that waits for nothing but promises and streams has gone on. */
export async function settled() {
  for (let turn = 0; turn < 8; turn += 1) await new Promise(setImmediate);
}
