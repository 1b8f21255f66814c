/**
 * How long it takes to judge one whole token, from the text to the claims, for us and for others, in one process.
 *
 *     node --expose-gc verify.mjs <bench_fixture> <folder>
 *
 * Rounds are interleaved: each contender has its turn in every round, and the order moves on by one, so what the
 * machine does besides falls on all alike. Every contender is first shown to refuse a token with a changed signature.
 * Prints Markdown.
 */
import { execFileSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { CONTENDERS, readFixture } from "./contenders.mjs";

const ROUNDS = 11;
const WARM_UP_ROUNDS = 2;
/** Time of one turn: the number of tokens is chosen to fill it. */
const TURN_MILLISECONDS = 120;
const COLD_STARTS = 9;

const [fixtureProgram, folder] = process.argv.slice(2);
execFileSync(fixtureProgram, [folder, String(Math.floor(Date.now() / 1000))]);
const fixture = readFixture(folder);

const contenders = [];
for (const [name, setUp] of Object.entries(CONTENDERS)) {
  const judge = await setUp(fixture);
  await refusesForgeries(name, judge);
  contenders.push({ name, judge, count: await countFor(judge), micros: [] });
}
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
  for (let turn = 0; turn < contenders.length; turn += 1) {
    const contender = contenders[(turn + round + WARM_UP_ROUNDS) % contenders.length];
    globalThis.gc?.();
    const micros = await microsPerToken(contender.judge, contender.count);
    if (round >= 0) contender.micros.push(micros);
  }
}
print();

async function microsPerToken(judge, count) {
  const { token } = fixture;
  const started = performance.now();
  if (judge.sync) for (let done = 0; done < count; done += 1) judge.sync(token);
  else for (let done = 0; done < count; done += 1) await judge.async(token);
  return ((performance.now() - started) * 1000) / count;
}

async function countFor(judge) {
  await microsPerToken(judge, 200);
  return Math.max(100, Math.round((TURN_MILLISECONDS * 1000) / (await microsPerToken(judge, 200))));
}

async function refusesForgeries(name, judge) {
  const at = fixture.token.length - 40;
  const other = fixture.token[at] === "A" ? "B" : "A";
  const forged = fixture.token.slice(0, at) + other + fixture.token.slice(at + 1);
  const verdict = async () => (judge.sync ? judge.sync(forged) : judge.async(forged));
  const refused = await verdict().then(() => false, () => true);
  if (!refused) throw new Error(`${name} accepts a forged token: it is not set up rightly`);
}

/** Milliseconds from the start of a script to its first judged token, in a process of its own. */
function coldStart(name) {
  const script = fileURLToPath(new URL("./cold.mjs", import.meta.url));
  const runs = Array.from({ length: COLD_STARTS }, () => Number(execFileSync(process.execPath, [script, folder, name])));
  return median(runs);
}

function print() {
  const [ours] = contenders;
  const reference = median(ours.micros);
  console.log(`A token of ${fixture.token.length} bytes; medians of ${ROUNDS} interleaved rounds of about ${TURN_MILLISECONDS} ms.\n`);
  console.log("| verifier | µs per token | lowest – highest round | times ours | cold start |");
  console.log("|---|---|---|---|---|");
  for (const { name, micros } of contenders) {
    const [lowest, highest] = [Math.min(...micros), Math.max(...micros)];
    const ratio = (median(micros) / reference).toFixed(2);
    console.log(`| ${name} | ${short(median(micros))} | ${short(lowest)} – ${short(highest)} | ${ratio} | ${coldStart(name).toFixed(1)} ms |`);
  }
  console.log("\nCold start: from the first line of a script to its first judged token, the import included.");
}

function short(micros) {
  return micros < 10 ? micros.toFixed(2) : micros.toFixed(0);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
