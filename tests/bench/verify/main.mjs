/**
 * `cargo xtask bench verify`: runs the parts one after another, each in a process of its own, writes the pictures into
 * docs/plots, and prints Markdown.
 *
 *     node main.mjs <bench_fixture> <bench-verify-native> <folder>
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { say } from "./figures.mjs";
import { goalsOf } from "./goals.mjs";
import { BUILDS, copyPackage } from "./ours.mjs";
import { barsPicture, linesPicture } from "./plots.mjs";
import { median } from "./rounds.mjs";
import { coldStarts, goals, memories, verifiers } from "./tables.mjs";

const COLD_STARTS = 9;
const PLOTS = fileURLToPath(new URL("../../../docs/plots", import.meta.url));

const [fixtureProgram, nativeProgram, folder] = process.argv.slice(2);
execFileSync(fixtureProgram, [folder, String(Math.floor(Date.now() / 1000))]);
copyPackage(folder);

const node = script("node.mjs");
const native = ran(nativeProgram, [folder]);
const chromium = script("chromium.mjs");
const workerd = script("workerd.mjs");
const cold = coldest();
const memory = BUILDS.map((build) => script("memory.mjs", build));
const sweeps = script("sweeps.mjs");
const parts = BUILDS.map((build) => script("parts.mjs", build));
draw();

console.log(`Tokens of ${node.bytes} bytes: 1,000 of them in turn, unless a row says otherwise. Medians of ${node.rounds} interleaved rounds in Node, ${native.rounds} natively, ${chromium.rounds} in Chromium ${chromium.version} and in workerd.

What is to be reached:

${goals(goalsOf({ node, native, chromium, cold, memory }))}

In Node:

${verifiers(node)}

Natively, on one core:

${verifiers(native)}

In a page of Chromium:

${verifiers(chromium)}

In a worker of workerd:

${verifiers(workerd)}

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

/** One picture for each sweep, and one of the table for Node. */
function draw() {
  mkdirSync(PLOTS, { recursive: true });
  const picture = (name, text) => writeFileSync(join(PLOTS, `${name}.svg`), text);
  const named = (lines, own) => Object.fromEntries(Object.entries({ ...lines, native: own }).filter(([, points]) => points !== undefined));
  const sweep = (name, title, xLabel) => picture(`verify-${name}`, linesPicture({ title, xLabel, lines: named(sweeps[name], native.sweeps[name]) }));
  sweep("claims", "Larger tokens", "bytes of claims");
  sweep("keys", "More keys in the set", "keys for tokens");
  sweep("lists", "Longer revocation lists", "entries in the list");
  sweep("batches", "Tokens judged at once", "tokens in a call of verifyMany");
  const shown = node.rows.filter(({ id, kind }) => kind !== "cached" && !/noble|same|free/.test(id));
  const colour = ({ id, kind }) => (id.startsWith("simd") || id.startsWith("scalar") ? 0 : kind === "bare" ? 4 : 1);
  const of = ({ id, kind }) => (id.startsWith("simd") || id.startsWith("scalar") ? "ours" : kind === "bare" ? "others, the signature alone" : "others");
  const bars = shown.map((row) => ({ name: row.name, parts: [{ name: of(row), colour: colour(row), micros: row.median }] }));
  picture("verify-parts", barsPicture({ title: "Where the microseconds go", bars: parts.map(partsBar) }));
  picture("verify-node", barsPicture({ title: "Judging a token in Node", bars }));
}

/** The shares of a profile, of the time that was measured without one. */
function partsBar({ build, parts: shares }) {
  const { median: whole } = node.rows.find(({ id }) => id === `${build}-whole`);
  const order = ["curve", "SHA-512", "reading and checking", "JavaScript: crossing, JSON.parse, freezing"];
  return { name: `countersign, ${build} build`, parts: order.map((name, colour) => ({ name, colour, micros: (shares[name] ?? 0) * whole })) };
}

/** What a script beside this one has measured. */
function script(name, ...more) {
  if (more.length === 0) say(name, 0);
  return ran(process.execPath, ["--expose-gc", fileURLToPath(new URL(`./${name}`, import.meta.url)), folder, ...more]);
}

function ran(program, words) {
  return JSON.parse(execFileSync(program, words, { stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 24 }));
}
