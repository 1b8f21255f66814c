/** What the tests of following share: a verifier of an issuer in memory, in a time of the test's own. */
import { createVerifier } from "countersign";
import { AUDIENCE, ISSUER, NOW } from "../issuing.js";
import { Publisher } from "../publishing.js";
import { VirtualTime } from "../virtual-time.js";

export const EVENTS = ["revoked", "stale", "recovered", "alarm"];

/** Answers that are not the issuer's, for `Publisher.instead`. */
export const answers = {
  down: () => Promise.reject(new TypeError("no network")),
  error: () => ({ status: 500 }),
  missing: () => ({ status: 404 }),
  page: () => ({ status: 200, body: "<!doctype html><title>Sign in to the network</title>", headers: { "content-type": "text/html" } }),
  silent: () => new Promise(() => {}),
};

/** Begins to follow; everything ends with the test. The options may be a function of time and issuer. */
export async function following(context, options, { prepare = () => {} } = {}) {
  const time = new VirtualTime(NOW).rules(context);
  const issuer = new Publisher({ now: time.seconds });
  prepare(issuer);
  const given = { issuer: ISSUER, audience: AUDIENCE, now: time.seconds, fetch: issuer.fetch };
  const own = typeof options === "function" ? options({ time, issuer }) : options;
  const verifier = await createVerifier({ ...given, ...own });
  context.after(() => verifier.close());
  return { time, issuer, verifier, told: heard(verifier), given };
}

/** What the verifier tells from now on, as `[type, detail]`. */
export function heard(verifier) {
  const told = [];
  for (const type of EVENTS) verifier.addEventListener(type, (event) => told.push([event.type, event.detail]));
  return told;
}

/** `true`, or the code of the refusal. */
export function verdict(verifier, text) {
  try {
    verifier.verify(text);
    return true;
  } catch ({ code }) {
    return code;
  }
}

/** How often each kind of document was asked for since the last time this was called. */
export function asked(issuer) {
  const counts = {};
  for (const name of issuer.asked.splice(0)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** The issuer signs its list again every 15 seconds, for so long. */
export async function beating(issuer, time, seconds) {
  for (let left = seconds; left > 0; left -= 15) {
    await time.pass(Math.min(left, 15));
    if (left >= 15) issuer.publish();
  }
  await time.pass(0);
}
