/** The bytes that a verifier's state can be built from again: after a trap, and from a store. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Verifier as Bindings } from "../../../pkg/wasm/verifier.js";
import { Documents } from "../../../pkg/src/documents.js";
import { delta, idOf, list } from "../issuing.js";
import { settled } from "../virtual-time.js";
import { answers, asked, beating, following, verdict } from "./follow.js";

const bytes = (text) => new TextEncoder().encode(text);
const heartbeat = (seq) => bytes(delta({ seq }));
const growing = (seq) => bytes(delta({ seq, base: idOf({ 5: [seq - 1] }), id: idOf({ 5: [seq] }), add: { 5: [seq] } }));

/** Lets the next call of this binding fail as a trap does. */
function trap(verifier) {
  const real = Bindings.prototype.status;
  Bindings.prototype.status = () => {
    Bindings.prototype.status = real;
    throw new WebAssembly.RuntimeError("unreachable");
  };
  assert.throws(() => verifier.status, WebAssembly.RuntimeError);
}

test("a heartbeat is replaced by whatever follows it, a delta that revokes is kept", () => {
  const documents = new Documents(bytes("{}"), list());
  for (let seq = 2; seq < 300; seq += 1) documents.append(heartbeat(seq));
  assert.deepEqual(documents.deltas, [heartbeat(299)]);
  for (const delta of [growing(300), growing(301), heartbeat(302), heartbeat(303), growing(304)]) documents.append(delta);
  assert.deepEqual(documents.deltas, [growing(300), growing(301), growing(304)]);
  assert.equal(documents.isLong, false);
});

test("many deltas ask for a full list, and too many give up the bytes, which a full list brings back", () => {
  const documents = new Documents(bytes("{}"), list());
  let seq = 2;
  for (; documents.deltas.length < 256; seq += 1) documents.append(growing(seq));
  assert.equal(documents.isLong, false);
  documents.append(growing(seq));
  assert.equal(documents.isLong, true);
  for (; documents.list !== null && seq < 5000; seq += 1) documents.append(growing(seq));
  assert.ok(seq > 1000 && seq < 1100, `${seq}`);
  documents.append(growing(seq));
  assert.deepEqual([documents.all, documents.deltas, documents.isLong], [[], [], true]);
  documents.rebase(list({ seq }));
  assert.deepEqual([documents.all.length, documents.isLong], [1, false]);
  const large = bytes(delta({ base: idOf({ 1: [1] }), id: idOf({ 2: [2] }), add: { 5: Array.from({ length: 18_000 }, (_, at) => at) } }));
  while (!documents.isLong) documents.append(large);
  assert.ok(documents.deltas.length < 40);
});

test("a trap brings back list and deltas, and none of it is lost", async (context) => {
  const { time, issuer, verifier } = await following(context);
  await time.pass(1);
  const exp = time.seconds() + 900;
  const texts = [1, 2, 3].map((index) => issuer.token({ exp, jti: `${Math.floor(exp / 256)}.${index}` }));
  for (const text of texts) {
    issuer.publish(text);
    issuer.publish();
  }
  await settled();
  asked(issuer);
  trap(verifier);
  assert.deepEqual(texts.map((text) => verdict(verifier, text)), Array(3).fill("ERR_TOKEN_REVOKED"));
  assert.deepEqual([verifier.status.seq, verifier.status.entries, asked(issuer)], [7, 3, {}]);
  issuer.publish();
  await settled();
  assert.equal(verifier.status.seq, 8, "and goes on from there");
});

test("a full list takes the place of many deltas, when the stream brings them and when they are asked for", async (context) => {
  for (const transport of ["stream", "poll"]) {
    await context.test(transport, async (context) => {
      const prepare = ({ instead }) => transport === "poll" && (instead.events = answers.missing);
      const { time, issuer, verifier } = await following(context, { pollInterval: 0.1 }, { prepare });
      await time.pass(1);
      asked(issuer);
      const exp = time.seconds() + 900;
      for (let index = 0; index < 300; index += 1) {
        issuer.publish(issuer.token({ exp, jti: `${Math.floor(exp / 256)}.${index}` }));
        await time.pass(transport === "poll" ? 0.12 : 0.02);
      }
      await time.pass(1);
      assert.deepEqual([verifier.status.entries, asked(issuer).revocations], [300, 1]);
      await beating(issuer, time, 60);
      assert.equal(asked(issuer).revocations, undefined, "and not again");
      trap(verifier);
      assert.equal(verifier.status.entries, 300);
    });
  }
});

test("deltas that cannot be kept any more are applied all the same; after a trap tokens are refused until a list is fetched", async (context) => {
  const { time, issuer, verifier } = await following(context);
  await time.pass(1);
  issuer.instead.revocations = answers.error;
  const exp = time.seconds() + 900;
  const texts = Array.from({ length: 1040 }, (_, index) => issuer.token({ exp, jti: `${Math.floor(exp / 256)}.${index}` }));
  for (const text of texts) issuer.publish(text);
  await time.pass(1);
  assert.equal(verifier.status.entries, 1040);
  issuer.instead.since = answers.error;
  trap(verifier);
  assert.equal(verdict(verifier, texts.at(-1)), "ERR_STATUS_STALE");
  assert.equal(verdict(verifier, texts[0]), "ERR_STATUS_STALE", "not even what is known of it: it is older than what was known");
  issuer.instead = {};
  await beating(issuer, time, 90);
  assert.equal(verdict(verifier, texts.at(-1)), "ERR_TOKEN_REVOKED");
  assert.equal(verifier.status.stale, false);
});
