import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const TSC = fileURLToPath(new URL("../../node_modules/.bin/tsc", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));
const strict = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--target", "es2022"];

async function compiles(...args) {
  await promisify(execFile)(TSC, [...strict, ...args], { cwd: here }).catch(({ stdout, message }) => assert.fail(stdout || message));
}

const platforms = {
  "a page": ["--lib", "es2022,dom", "--types", ""],
  "a worker": ["--lib", "es2022,webworker", "--types", ""],
  Node: ["--lib", "es2022", "--types", "node"],
};

for (const [name, args] of Object.entries(platforms)) {
  for (const [module, resolution] of [["nodenext", "nodenext"], ["esnext", "bundler"]]) {
    test(`the types hold for ${name} with ${resolution} resolution`, () =>
      compiles(...args, "--module", module, "--moduleResolution", resolution, "consumer.ts", "platform.ts"));
  }
}

test("the types hold where no platform is known", () =>
  compiles("--lib", "es2022", "--types", "", "--module", "nodenext", "consumer.ts"));

test("the package's own modules are consistent with their annotations", () =>
  compiles("--lib", "esnext,dom", "--types", "", "--module", "nodenext", "--allowJs", "--checkJs", "--noImplicitAny", "false", "../../../pkg/src/index.js"));
