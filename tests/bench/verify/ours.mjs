/**
 * The package as it is installed, once for each of its builds. Which build it takes is its own choice, by what the engine
 * can do; so for the other one a copy of the package is made in which that file holds the other build.
 */
import { copyFileSync, cpSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { AUDIENCE, ISSUER } from "./fixture.mjs";

const PKG = fileURLToPath(new URL("../../../pkg", import.meta.url));
const [SCALAR, SIMD] = ["wasm/verifier_bg.wasm", "wasm/verifier_simd_bg.wasm"];

/** The builds there are, the one that is chosen here first. */
export const BUILDS = ["simd", "scalar"];

/** Makes the copies, in `folder`. Done once, before anything is measured. */
export function copyPackage(folder) {
  for (const build of BUILDS) {
    copied(copyOf(folder, build), join(PKG, build === "scalar" ? SCALAR : SIMD));
    copied(copyOf(folder, named(build)), join(folder, "named", basename(build === "scalar" ? SCALAR : SIMD)));
  }
}

/** A copy of the package that takes this module where the engine has vectors. */
function copied(copy, module) {
  rmSync(copy, { recursive: true, force: true });
  cpSync(PKG, copy, { recursive: true });
  copyFileSync(module, join(copy, SIMD));
}

export function copyOf(folder, build) {
  return join(folder, `countersign-${build}`);
}

/** The build whose functions have names, for a profile; the code is the same. */
export function named(build) {
  return `${build}-named`;
}

/** The package's exports. */
export function imported(folder, build) {
  return import(pathToFileURL(join(copyOf(folder, build), "node.js")));
}

/** A verifier of this fixture; `own` are options of `createVerifier`. */
export async function verifierOf(folder, build, { keys, revocations }, own = {}) {
  const { createVerifier } = await imported(folder, build);
  return createVerifier({ issuer: ISSUER, audience: AUDIENCE, keys, revocations, ...own });
}
