/**
 * How long a worker in workerd takes to judge a token, with our package and with jose. The clock of a worker stands still
 * while it computes, so the time is taken outside: a request that has many tokens judged, less one that has none. Prints JSON.
 *
 *     node workerd.mjs <folder>
 */
import { running } from "../../runtimes/workerd/worker.js";
import { summary } from "./figures.mjs";
import { AUDIENCE, ISSUER, readFixture } from "./fixture.mjs";
import { inRounds } from "./rounds.mjs";

const ROUNDS = 15;
const TOKENS = 200;

const [folder] = process.argv.slice(2);
const { keys, tokens, revocations, refused } = readFixture(folder);
const fixture = { keys, tokens: tokens.slice(0, TOKENS), revocations: revocations.toString("base64"), forged: refused.forged, issuer: ISSUER, audience: AUDIENCE };
const { url, close } = await running("../../bench/verify/worker", { define: { FIXTURE: JSON.stringify(fixture) }, compatibilityDate: "2026-10-01" });
try {
  const verdicts = await (await fetch(`${url}/forged`)).json();
  if (!verdicts.every(Boolean)) throw new Error("a worker accepts a forged token");
  const timed = await inRounds([
    { id: "ours", name: "countersign", kind: "whole", turn: turn("ours") },
    { id: "many", name: `countersign, verifyMany(${TOKENS})`, kind: "whole", turn: turn("many"), step: TOKENS },
    { id: "jose", name: "jose, one after another", kind: "whole", turn: turn("jose") },
    { id: "flight", name: `jose, ${TOKENS} in flight`, kind: "whole", turn: turn("flight"), step: TOKENS },
  ], { rounds: ROUNDS, milliseconds: 100 });
  console.log(JSON.stringify({ rounds: ROUNDS, rows: timed.map(summary) }));
} finally {
  await close();
}

function turn(name) {
  const took = async (count) => {
    const started = performance.now();
    const answer = await fetch(`${url}/${name}?count=${count}`);
    if ((await answer.text()) !== "done") throw new Error(`the worker has failed at ${name}`);
    return performance.now() - started;
  };
  return async (count) => Math.max(0.001, (await took(count)) - (await took(0)));
}
