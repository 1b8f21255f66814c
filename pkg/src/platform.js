/**
 * What the runtimes differ in, set once by the entry that is loaded: whether there is background work at all, and how
 * it is done without keeping a program from ending.
 */

/** @typedef {(run: () => void, millis: number) => () => void} Later Runs once after that time, unless what it returns is called before. */

export const platform = {
  /** Whether anything may go on after the call that began it. In Workers nothing may. */
  background: true,
  /** Accepted tokens that a verifier remembers when nobody says how many. A page has one token at a time. */
  cacheSize: 0,
  /** Fetches what nobody waits for; undefined where the global `fetch` does. */
  backgroundFetch: undefined,
  /** Whether a request header beyond those of CORS' safelist costs nothing. */
  freeHeaders: false,
  /** @type {Later} */
  later(run, millis) {
    const timer = setTimeout(run, Math.min(millis, MAX_TIMER_MILLIS));
    return () => clearTimeout(timer);
  },
  /** Calls `run` when the runtime may have slept, or has a network again; returns what ends that. */
  onWaking(run) {
    const { document } = globalThis;
    const seen = () => document.visibilityState === "visible" && run();
    const sources = [[globalThis, "online", run], [globalThis, "pageshow", run], [document, "visibilitychange", seen]];
    for (const [target, type, listener] of sources) target?.addEventListener?.(type, listener);
    return () => {
      for (const [target, type, listener] of sources) target?.removeEventListener?.(type, listener);
    };
  },
};

/** Beyond it setTimeout fires at once. */
const MAX_TIMER_MILLIS = 2 ** 31 - 1;

/** Sets what is different here. */
export function runsOn(differences) {
  Object.assign(platform, differences);
}
