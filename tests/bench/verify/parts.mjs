/**
 * Where the time of a verification goes: V8 samples what runs, and each sample counts for the part that its function
 * belongs to. Functions that the compiler has put into others count with those. Prints JSON, parts of 1.
 *
 *     node parts.mjs <folder> <build>
 */
import { Session } from "node:inspector/promises";
import { readFixture } from "./fixture.mjs";
import { named, verifierOf } from "./ours.mjs";

const MILLISECONDS = 1500;
const INTERVAL_MICROSECONDS = 100;

const [folder, build] = process.argv.slice(2);
const fixture = readFixture(folder);
const verifier = await verifierOf(folder, named(build), fixture, { cache: false });
run(500);
const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.setSamplingInterval", { interval: INTERVAL_MICROSECONDS });
await session.post("Profiler.start");
run(MILLISECONDS);
const { profile } = await session.post("Profiler.stop");

const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
const samples = {};
for (const id of profile.samples) {
  const part = partOf(frames.get(id));
  if (part !== undefined) samples[part] = (samples[part] ?? 0) + 1;
}
const all = Object.values(samples).reduce((sum, count) => sum + count, 0);
if (process.env.FUNCTIONS !== undefined) printFunctions();
console.log(JSON.stringify({ build, parts: Object.fromEntries(Object.entries(samples).map(([part, count]) => [part, count / all])) }));

function run(milliseconds) {
  const until = performance.now() + milliseconds;
  while (performance.now() < until) {
    for (const token of fixture.tokens) verifier.verify(token);
  }
}

/** Undefined for what is not ours: the sampling itself, and waiting. */
function partOf({ functionName, url }) {
  if (functionName === "(idle)" || functionName === "(root)") return undefined;
  if (!url.startsWith("wasm://")) return "JavaScript: crossing, JSON.parse, freezing";
  if (/sha512|sha2/i.test(functionName)) return "SHA-512";
  if (/ed25519/.test(functionName)) return "curve";
  return "reading and checking";
}

/** For who wants to know more: FUNCTIONS=1 node parts.mjs … */
function printFunctions() {
  const counts = new Map();
  for (const id of profile.samples) {
    const { functionName, url } = frames.get(id);
    const name = `${partOf(frames.get(id))}: ${functionName} ${url.slice(-30)}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const most = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, 40);
  for (const [name, count] of most) console.error(`${((100 * count) / all).toFixed(1).padStart(5)} %  ${name}`);
}
