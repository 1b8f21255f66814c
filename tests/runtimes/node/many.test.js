/** Several tokens judged at once: faster, and no other verdicts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createVerifier, UsageError, VerificationError } from "countersign";
import { Verifier as Bindings } from "../../../pkg/wasm/verifier.js";
import { AUDIENCE, ISSUER, keyOf, keySet, list, NOW, placeOf, token } from "../issuing.js";
import { Dice } from "../randomness.js";

const given = { issuer: ISSUER, audience: AUDIENCE, keys: keySet(), revocations: null, now: () => NOW };
const shown = ({ code, claim, reason, message }) => [code, claim, reason, message];

function outcome(verifier, text, options) {
  try {
    return verifier.verify(text, options);
  } catch (error) {
    return shown(error);
  }
}

test("there is one verdict for each token, in order: its claims, or the error that verify throws", async () => {
  const revoked = token({ jti: `${Math.floor((NOW + 900) / 256)}.8` });
  const verifier = await createVerifier({ ...given, revocations: list({ revoked: placeOf(revoked) }) });
  const [good, bad, other] = verifier.verifyMany([token(), revoked, token({ sub: "user-2", tenant: { of: ["a"] } })]);
  assert.deepEqual([good.claims.sub, bad.error.code, other.claims.sub], ["user-1", "ERR_TOKEN_REVOKED", "user-2"]);
  assert.ok(bad.error instanceof VerificationError);
  assert.deepEqual([Object.keys(good), Object.keys(bad)], [["claims"], ["error"]]);
  assert.ok(Object.isFrozen(other.claims) && Object.isFrozen(other.claims.tenant.of));
  assert.deepEqual(verifier.verifyMany([]), []);
});

test("scope and time of the call are those of each token", async () => {
  const verifier = await createVerifier(given);
  const texts = [token({ scope: "read" }), token({ scope: "write" })];
  const codes = (options) => verifier.verifyMany(texts, options).map(({ error }) => error?.code);
  assert.deepEqual(codes({ scope: "read" }), [undefined, "ERR_JWT_CLAIM_VALIDATION_FAILED"]);
  assert.deepEqual(codes({ now: NOW + 905 }), ["ERR_JWT_EXPIRED", "ERR_JWT_EXPIRED"]);
  assert.deepEqual(codes(), [undefined, undefined]);
});

test("misuse is thrown, and nothing is judged", async () => {
  const verifier = await createVerifier(given);
  const real = Bindings.prototype.judgeMany;
  Bindings.prototype.judgeMany = () => assert.fail("nothing is to be judged");
  try {
    // eslint-disable-next-line no-sparse-arrays
    for (const wrong of [undefined, null, token(), { length: 1, 0: token() }, new Set([token()]), [token(), 1], [token(), , token()], [token(), null]]) {
      assert.throws(() => verifier.verifyMany(wrong), UsageError);
    }
    assert.throws(() => verifier.verifyMany([token()], { audience: "b" }), UsageError);
    assert.throws(() => verifier.verifyMany([token()], { scope: "a".repeat(8193) }), UsageError);
    verifier.close();
    assert.throws(() => verifier.verifyMany([token()]), UsageError);
  } finally {
    Bindings.prototype.judgeMany = real;
  }
});

test("the verdicts of a batch are those of each token alone, whatever lies beside it", async (context) => {
  const seed = Number(process.env.SEED ?? 1);
  context.diagnostic(`SEED=${seed}`);
  const dice = new Dice(seed);
  const epoch = Math.floor((NOW + 900) / 256);
  const verifier = await createVerifier({ ...given, revocations: list({ revoked: { [epoch]: [3, 5] } }), cache: false });
  const good = Array.from({ length: 12 }, (_, at) => token({ jti: `${epoch}.${at}`, text: "é\u{1f511}\u2028".repeat(at * 20) }));
  const large = token({ filler: "x".repeat(5500) });
  const [header, payload, signature] = good[0].split(".");
  const bad = [
    "", ".", "..", "a.b.c", " ", "\n", "[]", good[0].slice(0, -1), `${good[0]},`, [header, payload, good[1].split(".")[2]].join("."), signature,
    token({ exp: 1 }), token({ aud: "else" }), token({}, { typ: "JWT" }), token({}, {}, keyOf(9, "token")), token("[]"), token("{"),
  ];
  const odd = ["\ud800", "é", "\u{1f511}".repeat(3000), "é".repeat(8192), "a".repeat(8192), "a".repeat(8193), "a".repeat(40_000), "\u0141".repeat(400), `${good[1]}\0`];
  const alone = new Map([...good, large, ...bad, ...odd].map((text) => [text, outcome(verifier, text)]));
  for (let round = 0; round < 150; round += 1) {
    const kinds = dice.oneOf([[good], [good, bad], [good, [large]], [good, bad, odd], [odd, [large]]]);
    const texts = Array.from({ length: dice.oneOf([1, 2, 63, 64, 65, 130, 200]) }, () => dice.oneOf(dice.oneOf(kinds)));
    const told = verifier.verifyMany(texts).map(({ claims, error }) => claims ?? shown(error));
    assert.deepEqual(told, texts.map((text) => alone.get(text)), `round ${round}`);
  }
});

test("characters that end in the bytes of a token's do not make one", async () => {
  const verifier = await createVerifier(given);
  const text = token();
  const shifted = [...text].map((character) => String.fromCharCode(character.charCodeAt(0) + 256)).join("");
  for (const { error } of [...verifier.verifyMany([shifted, text, shifted]).filter((_, at) => at !== 1)]) assert.equal(error.code, "ERR_JWS_INVALID");
  assert.throws(() => verifier.verify(shifted), { code: "ERR_JWS_INVALID" });
});
