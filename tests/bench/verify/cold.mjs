/**
 * Judges one token in a process of its own, and prints as JSON how many milliseconds each step to that took.
 *
 *     node cold.mjs <folder> <build of ours, jose, fast-jwt or aws-jwt-verify>
 */
import { spent } from "./watched.mjs";
import { createPublicKey } from "node:crypto";
import { AUDIENCE, ISSUER, keyOf, readFixture } from "./fixture.mjs";
import { BUILDS, imported } from "./ours.mjs";

const [folder, name] = process.argv.slice(2);
const { keys, tokens, revocations } = readFixture(folder);
const [token] = tokens;

/** Each loads its package and returns two steps: what makes a verifier, and what judges by it. */
const STEPS = {
  jose: async () => {
    const { createLocalJWKSet, jwtVerify } = await import("jose");
    return [() => createLocalJWKSet(keys), (set) => jwtVerify(token, set, { issuer: ISSUER, audience: AUDIENCE, algorithms: ["EdDSA"] })];
  },
  "fast-jwt": async () => {
    const { createVerifier } = await import("fast-jwt");
    const pem = () => createPublicKey({ key: keyOf(keys, token), format: "jwk" }).export({ type: "spki", format: "pem" });
    return [() => createVerifier({ key: pem(), algorithms: ["EdDSA"], allowedIss: ISSUER, allowedAud: AUDIENCE }), (verify) => verify(token)];
  },
  "aws-jwt-verify": async () => {
    const { JwtVerifier } = await import("aws-jwt-verify");
    const make = () => {
      const verifier = JwtVerifier.create({ issuer: ISSUER, audience: AUDIENCE, jwksUri: `${ISSUER}/.well-known/jwks.json` });
      verifier.cacheJwks(keys);
      return verifier;
    };
    return [make, (verifier) => verifier.verifySync(token)];
  },
};
for (const build of BUILDS) {
  STEPS[build] = async () => {
    const { createVerifier } = await imported(folder, build);
    return [() => createVerifier({ issuer: ISSUER, audience: AUDIENCE, keys, revocations }), (verifier) => verifier.verify(token)];
  };
}

const started = performance.now();
const [make, judge] = await STEPS[name]();
const loaded = performance.now();
const { compiling, instantiating } = spent();
const verifier = await make();
const made = performance.now();
await judge(verifier);
const judged = performance.now();
console.log(JSON.stringify({
  loading: loaded - started - compiling - instantiating,
  compiling,
  instantiating,
  making: made - loaded,
  judging: judged - made,
}));
