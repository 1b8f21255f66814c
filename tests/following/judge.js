/**
 * What a verifying program of these tests is asked, wherever it runs. The function leans on nothing around it, so that its
 * text can be evaluated in a page.
 */

/**
 * @param {import("countersign").Verifier} verifier
 * @returns {{ verdicts: Function, refused: Function, watch: Function, rest: Function, seen: Function, status: Function }}
 */
export function judge(verifier) {
  const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
  const verdict = (token) => {
    try {
      verifier.verify(token);
      return "accepted";
    } catch ({ code, message }) {
      return code ?? message;
    }
  };
  let tallies = [];
  const watchOnce = (tally) => {
    const usableUntil = verifier.status.usableUntil;
    const before = Math.floor(Date.now() / 1000);
    const found = verdict(tally.token);
    const after = Math.floor(Date.now() / 1000);
    tally.counts[found] = (tally.counts[found] ?? 0) + 1;
    if (found === "accepted" && before >= usableUntil) tally.faults.push(`accepted at ${before}, usable until ${usableUntil}`);
    if (found === "ERR_STATUS_STALE" && after < usableUntil) tally.faults.push(`stale at ${after}, usable until ${usableUntil}`);
  };

  return {
    verdicts: (tokens) => tokens.map(verdict),
    status: () => ({ ...verifier.status, lastError: String(verifier.status.lastError) }),

    /** The verdict on each token once it is no longer accepted, and when that was seen, in milliseconds since 1970. */
    async refused(tokens) {
      for (;;) {
        const found = tokens.map(verdict);
        if (!found.includes("accepted")) return { found, at: Date.now() };
        await pause(2);
      }
    },

    /** From now on these tokens, and no others, are judged again and again. */
    watch(tokens) {
      const mine = tokens.map((token) => ({ token, counts: {}, faults: [] }));
      tallies = mine;
      (async () => {
        while (tallies === mine) {
          mine.forEach(watchOnce);
          await pause(5);
        }
      })();
    },

    /** Ends that. */
    rest() {
      tallies = [];
    },

    /** How often each watched token had which verdict, and what was wrong about it, since this was asked last. */
    seen: () => tallies.map((tally) => {
      const { counts, faults } = tally;
      Object.assign(tally, { counts: {}, faults: [] });
      return { counts, faults };
    }),
  };
}
