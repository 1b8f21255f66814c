/**
 * `cargo xtask bench verify`: runs the parts one after another, each in a process of its own, and prints Markdown.
 *
 *     node main.mjs <bench_fixture> <bench-verify-native> <folder>
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { say } from "./figures.mjs";
import { goalsOf } from "./goals.mjs";
import { BUILDS, copyPackage } from "./ours.mjs";
import { median } from "./rounds.mjs";
import { coldStarts, goals, memories, verifiers } from "./tables.mjs";

const COLD_STARTS = 9;

const [fixtureProgram, nativeProgram, folder] = process.argv.slice(2);
execFileSync(fixtureProgram, [folder, String(Math.floor(Date.now() / 1000))]);
copyPackage(folder);

const node = script("node.mjs");
const native = ran(nativeProgram, [folder]);
const cold = coldest();
const memory = BUILDS.map((build) => script("memory.mjs", build));
const { bytes } = node;

console.log(`Tokens of ${bytes} bytes: 1,000 of them in turn, unless a row says otherwise. Medians of ${node.rounds} interleaved rounds in Node, ${native.rounds} natively.

What is to be reached:

${goals(goalsOf({ node, native, cold, memory }))}

In Node:

${verifiers(node)}

Natively, on one core:

${verifiers(native)}

${coldStarts(cold)}

${memories(memory)}`);

/** Medians of processes that judge one token each. */
function coldest() {
  const names = [...BUILDS, "jose", "fast-jwt", "aws-jwt-verify"];
  const runs = Array.from({ length: COLD_STARTS }, (_, at) => {
    say("cold starts", (at + 1) / COLD_STARTS);
    return names.map((name) => script("cold.mjs", name));
  });
  return names.map((name, at) => {
    const step = (of) => median(runs.map((run) => run[at][of]));
    const steps = Object.fromEntries(Object.keys(runs[0][at]).map((of) => [of, step(of)]));
    return BUILDS.includes(name) ? { build: name, name: `countersign, ${name} build`, steps } : { name, steps };
  });
}

/** What a script beside this one has measured. */
function script(name, ...more) {
  return ran(process.execPath, ["--expose-gc", fileURLToPath(new URL(`./${name}`, import.meta.url)), folder, ...more]);
}

function ran(program, words) {
  return JSON.parse(execFileSync(program, words, { stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 24 }));
}
