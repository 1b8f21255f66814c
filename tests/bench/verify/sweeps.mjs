/**
 * What a verification costs as one thing grows: the claims, the key set, the list, the batch. Prints JSON.
 *
 *     node --expose-gc sweeps.mjs <folder>
 */
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { say } from "./figures.mjs";
import { AUDIENCE, ISSUER, keyOf, readFixture } from "./fixture.mjs";
import { BUILDS, verifierOf } from "./ours.mjs";
import { awaited, inBatches, inRounds, median, oneByOne } from "./rounds.mjs";

const ROUNDS = 11;
/** As in fixture.rs. */
const CLAIMS = [240, 500, 1000, 2000, 4000, 5900];
const KEYS = [1, 3, 10, 30, 100];
const LISTS = [0, 10, 100, 1000, 10_000, 100_000, 1_000_000];
const BATCHES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

const [folder] = process.argv.slice(2);
const fixture = readFixture(folder);
const text = (name) => readFileSync(join(folder, name), "utf8");

console.log(JSON.stringify({
  claims: await swept("claims", CLAIMS, async (bytes, living) => {
    const tokens = [text(`claims/${bytes}.txt`)];
    return [...(await ours(fixture, tokens, living)), await jose(fixture.keys, tokens), await fastJwt(tokens)];
  }),
  keys: await swept("keys", KEYS, async (count, living) => {
    const keys = JSON.parse(text(`keysets/${count}.json`));
    return [...(await ours({ ...fixture, keys }, fixture.tokens, living)), await jose(keys, fixture.tokens)];
  }),
  lists: await swept("lists", LISTS, (entries, living) => ours({ ...fixture, revocations: readFileSync(join(folder, `lists/${entries}.bin`)) }, fixture.tokens, living)),
  batches: await swept("batches", BATCHES, batches),
}));

/** For each contender the points of a line, `[x, µs]`. `contendersAt(x)` gives the contenders, by name, with a `turn`. */
async function swept(what, xs, contendersAt) {
  const all = [];
  const living = [];
  for (const x of xs) all.push(...(await contendersAt(x, living)).map((contender) => ({ ...contender, x })));
  const timed = await inRounds(all, { rounds: ROUNDS, milliseconds: 12, done: (part) => say(`sweep of ${what}`, part) });
  living.forEach((verifier) => verifier.close()); // few keys have tables at a time
  const lines = {};
  for (const { name, x, micros } of timed) (lines[name] ??= []).push([x, median(micros)]);
  return lines;
}

async function ours(documents, tokens, living) {
  const contenders = [];
  for (const build of BUILDS) {
    const verifier = await verifierOf(folder, build, documents, { cache: false });
    living.push(verifier);
    contenders.push({ name: build, turn: oneByOne((token) => verifier.verify(token), tokens) });
  }
  return contenders;
}

async function batches(size, living) {
  const contenders = [];
  for (const [at, build] of BUILDS.entries()) {
    const verifier = (living[at] ??= await verifierOf(folder, build, fixture, { cache: false })); // one for all sizes
    contenders.push({ name: build, turn: inBatches((batch) => verifier.verifyMany(batch), fixture.tokens, size), step: size });
  }
  return contenders;
}

async function jose(keys, tokens) {
  const { createLocalJWKSet, jwtVerify } = await import("jose");
  const set = createLocalJWKSet(keys);
  return { name: "jose", turn: awaited((token) => jwtVerify(token, set, { issuer: ISSUER, audience: AUDIENCE, algorithms: ["EdDSA"] }), tokens) };
}

async function fastJwt(tokens) {
  const { createVerifier } = await import("fast-jwt");
  const key = createPublicKey({ key: keyOf(fixture.keys, tokens[0]), format: "jwk" }).export({ type: "spki", format: "pem" });
  return { name: "fast-jwt", turn: oneByOne(createVerifier({ key, algorithms: ["EdDSA"], allowedIss: ISSUER, allowedAud: AUDIENCE, cache: false }), tokens) };
}
