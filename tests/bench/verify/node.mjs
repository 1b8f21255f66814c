/**
 * How long Node takes to judge a token, for us and for others, in one process. Every contender is first shown to refuse a
 * token with another signature, and the whole verifiers of ours one that has expired and one that is revoked.
 *
 *     node --expose-gc node.mjs <folder>
 *
 * Prints JSON.
 */
import { contendersOf } from "./contenders.mjs";
import { readFixture } from "./fixture.mjs";
import { say, summary } from "./figures.mjs";
import { inRounds } from "./rounds.mjs";

const ROUNDS = 31;

const [folder] = process.argv.slice(2);
const fixture = readFixture(folder);
const contenders = await contendersOf(folder, fixture);
for (const contender of contenders) await refuses(contender);
const timed = await inRounds(contenders, { rounds: ROUNDS, done: (part) => say("Node", part) });
console.log(JSON.stringify({ bytes: fixture.tokens[0].length, rounds: ROUNDS, rows: timed.map(summary) }));

/** Also: the tokens that hold are accepted, since otherwise the fastest contender would be one that refuses all. */
async function refuses({ name, judge, mine, unlisted }) {
  const { forged, expired, revoked } = fixture.refused;
  const bad = mine ? [forged, expired, ...(unlisted ? [] : [revoked])] : [forged];
  for (const token of fixture.tokens.slice(0, 3)) await judge(token);
  for (const token of bad) {
    if (!(await isRefused(judge, token))) throw new Error(`${name} accepts what it must refuse: it is not set up rightly`);
  }
}

async function isRefused(judge, token) {
  try {
    await judge(token);
    return false;
  } catch {
    return true;
  }
}
