/** Judges as many tokens as it is asked to: `/<contender>?count=n`. What it is to judge is compiled in as FIXTURE. */
import { createVerifier } from "countersign";
import { createLocalJWKSet, jwtVerify } from "jose";

const { keys, tokens, revocations, forged, issuer, audience } = FIXTURE;
const bytes = Uint8Array.from(atob(revocations), (character) => character.charCodeAt(0));
const set = createLocalJWKSet(keys);
const jose = (token) => jwtVerify(token, set, { issuer, audience, algorithms: ["EdDSA"] });
let verifier;

const CONTENDERS = {
  ours: (count) => {
    for (let at = 0; at < count; at += 1) verifier.verify(tokens[at % tokens.length]);
  },
  many: (count) => {
    for (let at = 0; at < count; at += tokens.length) verifier.verifyMany(tokens);
  },
  jose: async (count) => {
    for (let at = 0; at < count; at += 1) await jose(tokens[at % tokens.length]);
  },
  flight: async (count) => {
    for (let at = 0; at < count; at += tokens.length) await Promise.all(tokens.map(jose));
  },
};

export default {
  async fetch(request) {
    verifier ??= await createVerifier({ issuer, audience, keys, revocations: bytes, cache: false });
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/forged") return Response.json([refused(() => verifier.verify(forged)), await jose(forged).then(() => false, () => true)]);
    await CONTENDERS[pathname.slice(1)](Number(searchParams.get("count")));
    return new Response("done");
  },
};

function refused(judge) {
  try {
    judge();
    return false;
  } catch {
    return true;
  }
}
