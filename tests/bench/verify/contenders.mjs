/**
 * The verifiers that are compared in Node, each set up as its documentation says for an issuer, an audience and a key set.
 *
 * A "whole" verifier goes from the text of a token to its claims, and checks the signature, `exp`, `iss` and `aud`; ours
 * checks what its row says besides. A "bare" one gets bytes that have been decoded already, and checks a signature.
 */
import { createHash, createPublicKey, verify as nodeVerify, webcrypto } from "node:crypto";
import { AUDIENCE, ISSUER, keyOf, signatureOf } from "./fixture.mjs";
import { BUILDS, verifierOf } from "./ours.mjs";
import { awaited, inBatches, inFlight, oneByOne } from "./rounds.mjs";

const BATCH = 1000;

/** All of them, with `judge`, which throws or rejects what it refuses, and `turn` as rounds.mjs wants it. */
export async function contendersOf(folder, fixture) {
  const ours = [];
  for (const build of BUILDS) ours.push(...(await oursOf(folder, fixture, build)));
  return [...ours, ...(await josesOf(fixture)), ...(await fastJwtsOf(fixture)), ...(await othersOf(fixture)), ...(await bareOf(fixture))];
}

async function oursOf(folder, fixture, build) {
  const { tokens } = fixture;
  const made = (own) => verifierOf(folder, build, fixture, own);
  const own = (id, name, judge, turn, more) => ({ id: `${build}-${id}`, name: `countersign, ${build} build${name}`, kind: "whole", mine: true, judge, turn, ...more });
  const [listed, free] = [await made({ cache: false }), await made({ cache: false, revocations: null })];
  const cached = await made({ cache: 1024 });
  const verify = (token) => listed.verify(token);
  const freely = (token) => free.verify(token);
  const many = (batch) => listed.verifyMany(batch);
  const again = (token) => cached.verify(token);
  return [
    own("whole", "", verify, oneByOne(verify, tokens)),
    own("same", ", the same token again, not cached", verify, oneByOne(verify, tokens.slice(0, 1))),
    own("free", ", no revocation list", freely, oneByOne(freely, tokens), { unlisted: true }),
    own("many", `, verifyMany(${BATCH})`, one(many), inBatches(many, tokens, BATCH), { step: BATCH }),
    own("cached", ", cached: the same string again", again, oneByOne(again, tokens.slice(0, 1)), { kind: "cached" }),
    own("cached-fresh", ", cached: the same text in a new string", again, newStrings(again, tokens[0]), { kind: "cached" }),
  ];
}

/** `judgeMany` as a judge of one. */
function one(judgeMany) {
  return (token) => {
    const [{ claims, error }] = judgeMany([token]);
    if (error !== undefined) throw error;
    return claims;
  };
}

/** A turn in which each call gets a string that no call has seen, with the same text. Making them is not timed. */
function newStrings(judge, token) {
  const bytes = Buffer.from(token, "latin1");
  const batch = 4096;
  return (count) => {
    let took = 0;
    for (let at = 0; at < count; at += batch) {
      const strings = Array.from({ length: Math.min(batch, count - at) }, () => bytes.toString("latin1"));
      took += oneByOne(judge, strings)(strings.length);
    }
    return took;
  };
}

async function josesOf({ keys, tokens }) {
  const { createLocalJWKSet, jwtVerify } = await import("jose");
  const set = createLocalJWKSet(keys);
  const judge = (token) => jwtVerify(token, set, { issuer: ISSUER, audience: AUDIENCE, algorithms: ["EdDSA"] });
  return [
    { id: "jose", name: "jose, one after another", kind: "whole", judge, turn: awaited(judge, tokens) },
    { id: "jose-flight", name: "jose, 1,000 in flight, on all cores", kind: "whole", judge, turn: inFlight(judge, tokens), step: tokens.length },
  ];
}

async function fastJwtsOf({ keys, tokens }) {
  const { createVerifier } = await import("fast-jwt");
  const key = createPublicKey({ key: keyOf(keys, tokens[0]), format: "jwk" }).export({ type: "spki", format: "pem" });
  const options = { key, algorithms: ["EdDSA"], allowedIss: ISSUER, allowedAud: AUDIENCE };
  const [plain, cached] = [createVerifier({ ...options, cache: false }), createVerifier({ ...options, cache: true })];
  return [
    { id: "fast-jwt", name: "fast-jwt, no cache", kind: "whole", judge: plain, turn: oneByOne(plain, tokens) },
    { id: "fast-jwt-cached", name: "fast-jwt, cached: the same string again", kind: "cached", judge: cached, turn: oneByOne(cached, tokens.slice(0, 1)) },
    { id: "fast-jwt-fresh", name: "fast-jwt, cached: the same text in a new string", kind: "cached", judge: cached, turn: newStrings(cached, tokens[0]) },
  ];
}

async function othersOf({ keys, tokens }) {
  const { JwtVerifier } = await import("aws-jwt-verify");
  const verifier = JwtVerifier.create({ issuer: ISSUER, audience: AUDIENCE, jwksUri: `${ISSUER}/.well-known/jwks.json` });
  verifier.cacheJwks(keys);
  const judge = (token) => verifier.verifySync(token);
  return [{ id: "aws-jwt-verify", name: "aws-jwt-verify", kind: "whole", judge, turn: oneByOne(judge, tokens) }];
}

async function bareOf({ keys, tokens, refused }) {
  const [sodium, noble, { ed25519: curves }] = [
    (await import("libsodium-wrappers")).default,
    await import("@noble/ed25519"),
    await import("@noble/curves/ed25519.js"),
  ];
  await sodium.ready;
  noble.hashes.sha512 = (message) => createHash("sha512").update(message).digest();
  const jwk = keyOf(keys, tokens[0]);
  const raw = new Uint8Array(Buffer.from(jwk.x, "base64url"));
  const native = createPublicKey({ key: jwk, format: "jwk" });
  const imported = await webcrypto.subtle.importKey("jwk", { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, { name: "Ed25519" }, false, ["verify"]);
  // Plain Uint8Arrays: some of the libraries refuse Buffers.
  const plain = ({ message, signature }) => ({ message: new Uint8Array(message), signature: new Uint8Array(signature) });
  const decoded = new Map([...tokens, refused.forged].map((token) => [token, plain(signatureOf(token))]));
  const signatures = tokens.map((token) => decoded.get(token));
  const bare = (id, name, holds, turned = oneByOne) => ({
    id, name, kind: "bare",
    judge: async (token) => {
      if (!(await holds(decoded.get(token)))) throw new Error("refused");
    },
    turn: turned(holds, signatures),
  });
  return [
    bare("node-crypto", "node:crypto (OpenSSL)", ({ message, signature }) => nodeVerify(null, message, native, signature)),
    bare("webcrypto", "WebCrypto, one after another", ({ message, signature }) => webcrypto.subtle.verify("Ed25519", imported, signature, message), awaited),
    bare("libsodium", "libsodium-wrappers (wasm)", ({ message, signature }) => sodium.crypto_sign_verify_detached(signature, message, raw)),
    bare("noble-ed25519", "@noble/ed25519, with the SHA-512 of node:crypto", ({ message, signature }) => noble.verify(signature, message, raw, { zip215: false })),
    bare("noble-curves", "@noble/curves", ({ message, signature }) => curves.verify(signature, message, raw, { zip215: false })),
  ];
}
