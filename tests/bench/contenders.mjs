/**
 * The verifiers that are compared, each set up as its documentation says for an issuer, an audience and a key set.
 * Every one of them checks the signature, `exp`, `iss` and `aud`; ours checks what its row says besides.
 */
import { createPublicKey, verify as verifySignature } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** As in fixture.rs. */
const ISSUER = "https://id.example.com";
const AUDIENCE = "api";

/** Reads what fixture.rs wrote. */
export function readFixture(folder) {
  return {
    keys: JSON.parse(readFileSync(join(folder, "keys.json"), "utf8")),
    token: readFileSync(join(folder, "token.txt"), "utf8"),
    revocations: readFileSync(join(folder, "revocations.bin")),
  };
}

/** Each returns the function that judges one token; an `async` one is awaited. */
export const CONTENDERS = {
  "countersign, with a list of 10,000 revoked": async ({ keys, revocations }) => {
    const { createVerifier } = await import("countersign");
    const verifier = await createVerifier({ issuer: ISSUER, audience: AUDIENCE, keys, revocations });
    return { sync: (token) => verifier.verify(token) };
  },
  "countersign, no revocation": async ({ keys }) => {
    const { createVerifier } = await import("countersign");
    const verifier = await createVerifier({ issuer: ISSUER, audience: AUDIENCE, keys, revocations: null });
    return { sync: (token) => verifier.verify(token) };
  },
  jose: async ({ keys }) => {
    const { createLocalJWKSet, jwtVerify } = await import("jose");
    const set = createLocalJWKSet(keys);
    return { async: (token) => jwtVerify(token, set, { issuer: ISSUER, audience: AUDIENCE }) };
  },
  "fast-jwt, no cache": async (fixture) => fastJwt(fixture, false),
  "fast-jwt, cached: the same token again": async (fixture) => fastJwt(fixture, true),
  "node:crypto, the signature alone": async ({ keys, token }) => {
    const key = publicKey(keys, token);
    return {
      sync: (text) => {
        const dot = text.lastIndexOf(".");
        const signature = Buffer.from(text.slice(dot + 1), "base64url");
        if (!verifySignature(null, Buffer.from(text.slice(0, dot)), key, signature)) throw new Error("refused");
      },
    };
  },
};

async function fastJwt({ keys, token }, cache) {
  const { createVerifier } = await import("fast-jwt");
  const key = publicKey(keys, token).export({ type: "spki", format: "pem" });
  const verify = createVerifier({ key, algorithms: ["EdDSA"], allowedIss: ISSUER, allowedAud: AUDIENCE, cache });
  return { sync: verify };
}

function publicKey(keys, token) {
  const { kid } = JSON.parse(Buffer.from(token.split(".")[0], "base64url"));
  return createPublicKey({ key: keys.keys.find((key) => key.kid === kid), format: "jwk" });
}
