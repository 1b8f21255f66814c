/** The bytes that a verifier's state can be built from again: after a trap, and from a store. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Verifier as Bindings } from "../../../pkg/wasm/verifier.js";
import { Documents } from "../../../pkg/src/documents.js";
import { createVerifier } from "countersign";
import { runsOn } from "../../../pkg/src/platform.js";
import { delta, idOf, ISSUER, jws, list, listKey, NOW } from "../issuing.js";
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

test("a delta that names its base is no heartbeat, whatever it names: it is kept", () => {
  const documents = new Documents(bytes("{}"), list());
  const named = bytes(jws({ typ: "revdelta+jwt" }, { iss: ISSUER, iat: NOW, exp: NOW + 300, seq: 2, id: idOf(), base: idOf() }, listKey));
  for (const delta of [named, growing(3)]) documents.append(delta);
  assert.deepEqual(documents.deltas, [named, growing(3)]);
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
  assert.deepEqual([documents.all, documents.deltas.length, documents.deltas.at(-1), documents.isLong], [[], 1024, growing(seq), true]);
  documents.rebase(list({ seq }));
  assert.deepEqual([documents.all.length, documents.isLong], [1, false]);
  const large = bytes(delta({ base: idOf({ 1: [1] }), id: idOf({ 2: [2] }), add: { 5: Array.from({ length: 18_000 }, (_, at) => at) } }));
  while (!documents.isLong) documents.append(large);
  assert.ok(documents.deltas.length < 40);
  for (let times = 0; times < 100; times += 1) documents.append(large);
  assert.ok(documents.deltas.reduce((sum, { length }) => sum + length, 0) <= 2 * 1024 * 1024);
});

test("a full list that is older than the state takes its place below the deltas that lead on from it, and no other one does", () => {
  const full = (seq) => list({ seq, revoked: { 5: [seq] } });
  for (const count of [300, 1100]) {
    const documents = new Documents(bytes("{}"), full(1));
    for (let seq = 2; seq < count; seq += 1) documents.append(growing(seq));
    documents.append(bytes(delta({ seq: count, base: idOf({ 5: [count - 1] }) })));
    const before = documents.all;
    for (const other of [list({ seq: count - 5 }), list({ seq: count, revoked: { 5: [count - 1] } }), list({ seq: 1, revoked: { 5: [7] } })]) documents.rebaseBehind(other);
    assert.deepEqual(documents.all, before);
    const older = full(count - 5);
    documents.rebaseBehind(older);
    const behind = [count - 4, count - 3, count - 2, count - 1].map(growing);
    assert.deepEqual([documents.all.slice(0, -1), documents.isLong], [[older, ...behind], false]);
    documents.append(growing(count));
    assert.deepEqual(documents.all, [older, ...behind, growing(count)], "in place of the heartbeat");
  }
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

test("an issuer that signs faster than its list arrives leaves a state that is stored, and outlives a trap", async (context) => {
  const saved = [];
  const store = { load: async () => saved.at(-1), save: async (bytes) => saved.push(bytes) };
  let slow = false;
  const { time, issuer, verifier, given } = await following(context, ({ time, issuer }) => ({
    store,
    fetch: async (url, init) => {
      const answer = await issuer.fetch(url, init);
      if (slow && url.endsWith("/revocations")) await new Promise((resolve) => time.later(resolve, 150));
      return answer;
    },
  }));
  slow = true;
  const exp = NOW + 900;
  await time.pass(1);
  for (let index = 0; index < 1100; index += 1) {
    issuer.publish(issuer.token({ exp, jti: `${Math.floor(exp / 256)}.${index}` }));
    await time.pass(0.1);
  }
  await time.pass(2);
  assert.equal(verifier.status.entries, 1100);
  trap(verifier);
  assert.equal(verifier.status.entries, 1100);
  const again = await createVerifier({ ...given, store, follow: false, fetch: answers.down });
  assert.deepEqual([again.status.entries, again.status.storeError], [1100, null]);
});

test("a full list takes the place of many deltas where each request asks for what is newer, and what is stored is never behind", async (context) => {
  for (const background of [true, false]) {
    await context.test(background ? "in the background" : "in Workers", async (context) => {
      const saved = [];
      const store = { load: async () => saved.at(-1), save: async (bytes) => saved.push(bytes) };
      const { time, issuer, verifier, given } = await following(context, { follow: false, store });
      runsOn({ background });
      asked(issuer);
      const exp = NOW + 2000;
      for (let index = 0; index < 600; index += 1) {
        issuer.publish(issuer.token({ exp, jti: `${Math.floor(exp / 256)}.${index}` }));
        await time.pass(1);
        await verifier.refresh({ ifOlderThan: 1 });
      }
      await time.pass(2);
      const { revocations, since } = asked(issuer);
      assert.deepEqual([revocations, since], [2, 600]);
      const again = await createVerifier({ ...given, store, follow: false, fetch: answers.down });
      assert.deepEqual([again.status.entries, again.status.storeError], [600, null]);
    });
  }
});

test("a full list that cannot be had in place of many deltas is asked for now and then, and holds up none of them", async (context) => {
  const { time, issuer, verifier } = await following(context, { follow: false });
  const exp = NOW + 900;
  const failures = [];
  issuer.instead.revocations = answers.error;
  asked(issuer);
  for (let index = 0; index < 400; index += 1) {
    issuer.publish(issuer.token({ exp, jti: `${Math.floor(exp / 256)}.${index}` }));
    await time.pass(1);
    await verifier.refresh({ ifOlderThan: 1 }).catch(({ status }) => failures.push(status));
    assert.equal(verifier.status.entries, index + 1);
  }
  assert.deepEqual([failures, asked(issuer).revocations], [Array(5).fill(500), 5]);
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

test("after a trap that took the list no older one is taken, unless what is kept leads on from it", async (context) => {
  const { time, issuer, verifier } = await following(context, { follow: false });
  issuer.instead.revocations = answers.error;
  const exp = NOW + 900;
  const texts = Array.from({ length: 1040 }, (_, index) => issuer.token({ exp, jti: `${Math.floor(exp / 256)}.${index}` }));
  for (const text of texts) {
    issuer.publish(text);
    await verifier.refresh({ ifOlderThan: 0 }).catch(() => {});
  }
  trap(verifier);
  assert.equal(verdict(verifier, texts[0]), "ERR_STATUS_STALE");
  issuer.instead.revocations = () => ({ status: 200, body: issuer.list(5) });
  for (let times = 0; times < 2; times += 1) {
    await verifier.refresh({ ifOlderThan: 0 });
    assert.deepEqual([verifier.status.seq, verdict(verifier, texts[0]), verifier.status.lastContact], [null, "ERR_STATUS_STALE", NOW]);
  }
  issuer.instead.revocations = () => ({ status: 200, body: issuer.list(1000) });
  await verifier.refresh({ ifOlderThan: 0 });
  assert.deepEqual([verifier.status.seq, verifier.status.entries, verdict(verifier, texts.at(-1))], [1041, 1040, "ERR_TOKEN_REVOKED"]);
});
