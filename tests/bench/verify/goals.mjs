/** What the verifier is to reach, held against what was measured. A goal that was not measured says so. */
import { short } from "./figures.mjs";

/**
 * @param {{ node: Part, native: Part, chromium?: Part, cold: { name: string, steps: Record<string, number> }[], memory: { build: string, busy: number }[] }} measured
 *   where a `Part` has `rows`
 * @returns {{ what: string, most: string, measured?: string, holds?: boolean }[]}
 */
export function goalsOf({ node, native, chromium, cold, memory }) {
  const [inNode, natively, inChromium] = [node, native, chromium].map(finder);
  const simd = "SIMD build in Node, whole token,";
  const scalar = "scalar build in Node, whole token,";
  const bareNative = natively("dalek");
  return [
    share(`${simd} of jose one after another`, inNode("simd-whole"), inNode("jose"), 1 / 8),
    share(`${simd} of fast-jwt`, inNode("simd-whole"), inNode("fast-jwt"), 1 / 4),
    share(`${simd} of the bare node:crypto signature`, inNode("simd-whole"), inNode("node-crypto"), 1 / 4),
    share(`${scalar} of jose one after another`, inNode("scalar-whole"), inNode("jose"), 1 / 4),
    share(`${scalar} of the bare node:crypto signature`, inNode("scalar-whole"), inNode("node-crypto"), 1 / 2),
    share("SIMD build in Chromium, whole token, of the bare `crypto.subtle.verify`", inChromium("simd-whole"), inChromium("webcrypto"), 1 / 4),
    bound("cached, the same string", inNode("simd-cached"), 1.2),
    bound("cached, a new string", inNode("simd-cached-fresh"), 1.2),
    share("cached, the same string, of fast-jwt's cache", inNode("simd-cached"), inNode("fast-jwt-cached"), 1 / 2),
    share("cached, a new string, of fast-jwt's cache", inNode("simd-cached-fresh"), inNode("fast-jwt-fresh"), 1 / 2),
    share("native, whole token, of ed25519-dalek's bare `verify_strict`", natively("ours"), bareNative, 0.6),
    share("native, whole token, of the fastest other whole verifier", natively("ours"), fastestPeer(native), 0.5),
    share("`verifyMany(1000)`, SIMD build, of one token at a time", inNode("simd-many"), inNode("simd-whole"), 0.85),
    share("`verifyMany(1000)`, scalar build, of one token at a time", inNode("scalar-many"), inNode("scalar-whole"), 0.85),
    ...cold.filter(({ build }) => build !== undefined).map(coldGoal),
    ...memory.map(memoryGoal),
  ];
}

function finder(part) {
  return (id) => part?.rows.find((row) => row.id === id);
}

function fastestPeer({ rows }) {
  return rows.filter(({ id, kind }) => kind === "whole" && !id.startsWith("ours")).toSorted((a, b) => a.median - b.median)[0];
}

function share(what, own, other, most) {
  if (own === undefined || other === undefined) return { what, most: most.toFixed(3) };
  const found = own.median / other.median;
  return { what, most: most.toFixed(3), measured: `${found.toFixed(3)} (${short(own.median)} of ${short(other.median)} µs)`, holds: found <= most };
}

function bound(what, own, most) {
  if (own === undefined) return { what, most: `${most} µs` };
  return { what, most: `${most} µs`, measured: `${short(own.median)} µs`, holds: own.median <= most };
}

function coldGoal({ build, steps: { compiling, instantiating, making, judging } }) {
  const found = compiling + instantiating + making + judging;
  return { what: `cold in Node, ${build} build: compiled, instantiated, keys and list taken in, first verdict`, most: "5 ms", measured: `${found.toFixed(2)} ms`, holds: found <= 5 };
}

function memoryGoal({ build, busy }) {
  const mebibytes = busy / (1 << 20);
  return { what: `WebAssembly memory, ${build} build, two busy keys and 10,000 entries`, most: "4 MiB", measured: `${mebibytes.toFixed(2)} MiB`, holds: mebibytes <= 4 };
}
