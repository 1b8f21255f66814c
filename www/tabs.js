/**
 * The other tabs of this page on the same machine: they are told when a revocation was answered, so that each
 * can say how long its own verifier took to refuse by itself. No tab learns from this what is revoked.
 *
 * @module tabs
 */

/**
 * @param {{postMessage(message: unknown): void, addEventListener(type: "message", listener: Function): void}} channel
 * @param {(answer: {seq: number, at: number}) => void} onAnswer hears of answers in other tabs
 */
export function createTabs(channel, onAnswer) {
  channel.addEventListener("message", ({ data }) => {
    if (Number.isSafeInteger(data?.seq) && Number.isFinite(data?.at)) onAnswer({ seq: data.seq, at: data.at });
  });
  return {
    /** The issuer has answered a revocation here: from list `seq` on, at this millisecond. */
    tell: ({ seq, at }) => channel.postMessage({ seq, at }),
  };
}
