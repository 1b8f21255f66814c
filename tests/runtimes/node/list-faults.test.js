/** What can go wrong between issuer and verifier: the answer is always the newer list that is held, or refusing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { createVerifier } from "countersign";
import { delta, idOf, NOW, placeOf, serve, tokenKey } from "../issuing.js";
import { settled } from "../virtual-time.js";
import { answers, asked, following, verdict } from "./follow.js";

const noStream = ({ instead }) => (instead.events = answers.missing);
const all = (issuer, answer) => Object.assign(issuer.instead, { "jwks.json": answer, revocations: answer, since: answer, events: answer });

for (const [name, outage] of [["a minute", 60], ["an hour", 3600], ["a day", 86_400]]) {
  test(`an issuer that is away for ${name}: tokens hold until the list expires, are refused as stale after, and hold again`, async (context) => {
    const { time, issuer, verifier, told } = await following(context);
    await time.pass(10);
    const { expiresAt } = verifier.status;
    all(issuer, answers.down);
    issuer.hangUp();
    const since = time.seconds();
    const step = outage > 3600 ? 97 : 7;
    while (time.seconds() + step < since + outage) {
      await time.pass(step);
      const expected = time.seconds() < expiresAt ? true : "ERR_STATUS_STALE";
      assert.equal(verdict(verifier, issuer.token()), expected, `after ${time.seconds() - since} s`);
      assert.equal(verifier.status.stale, expected !== true);
    }
    const beyond = outage > 300;
    assert.deepEqual(told, beyond ? [["stale", { seq: 1, usableUntil: expiresAt }]] : []);
    issuer.instead = {};
    issuer.publish();
    await time.pass(80);
    assert.equal(verdict(verifier, issuer.token()), true);
    assert.equal(told.length, beyond ? 2 : 0);
    if (beyond) assert.deepEqual(told[1], ["recovered", { seq: 2, usableUntil: verifier.status.usableUntil }]);
  });
}

test("that the list has become too old is told when it happens, not when somebody verifies", async (context) => {
  const { time, issuer, told } = await following(context, { maxStaleness: 20 });
  await time.pass(1);
  all(issuer, answers.down);
  await time.pass(19);
  assert.deepEqual(told, []);
  await time.pass(1.1);
  assert.deepEqual(told, [["stale", { seq: 1, usableUntil: NOW + 21 }]]);
});

test("pages that come with status 200, redirects, empty answers and slow ones change nothing", async (context) => {
  const faults = {
    "a page": answers.page,
    "status 304 with nothing cached": () => ({ status: 304 }),
    "a redirect loop": (path) => ({ status: 302, headers: { location: path } }),
    "status 204": () => ({ status: 204 }),
    "an empty body": () => ({ status: 200, body: "" }),
    "a body that never ends": () => ({ status: 200, body: () => () => {} }),
    "no answer": answers.silent,
    "more than a list may have": () => ({ status: 200, body: new Uint8Array(16 * 1024 * 1024 + 1) }),
  };
  for (const [name, answer] of Object.entries(faults)) {
    await context.test(name, async (context) => {
      const { time, issuer, verifier, told } = await following(context);
      const text = issuer.token();
      issuer.publish(text);
      await time.pass(1);
      all(issuer, answer);
      issuer.hangUp();
      await time.pass(150);
      assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
      assert.equal(verdict(verifier, issuer.token({ jti: `${Math.floor((time.seconds() + 900) / 256)}.9` })), true);
      assert.notEqual(verifier.status.lastError, null);
      assert.deepEqual(told.map(([type]) => type), ["revoked"]);
      await time.pass(200);
      assert.equal(verdict(verifier, text), "ERR_STATUS_STALE");
    });
  }
});

test("an answer that unpacks to more than it may be is read no further", async (context) => {
  let sent = 0;
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const issuer = await serve({
    "/.well-known/jwks.json": (_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      const more = () => {
        while (!response.destroyed && sent < 100 && response.write(bomb)) sent += 1;
        if (sent === 100) response.end();
        else if (!response.destroyed) response.once("drain", more);
      };
      more();
    },
  });
  context.after(issuer.close);
  const before = process.memoryUsage().arrayBuffers;
  await assert.rejects(createVerifier({ issuer: issuer.url, audience: null, revocations: null }), { code: "ERR_FETCH", message: /longer than 65536 bytes/ });
  assert.ok(process.memoryUsage().arrayBuffers - before < 32 * 1024 * 1024);
});

test("a clock that is set back revives no list", async (context) => {
  const { time, issuer, verifier } = await following(context, {}, { prepare: noStream });
  await time.pass(100);
  issuer.publish();
  await time.pass(10);
  assert.equal(verifier.status.seq, 2);
  all(issuer, answers.down);
  await time.pass(301);
  const text = issuer.token();
  assert.equal(verdict(verifier, text), "ERR_STATUS_STALE");
  time.millis -= 600_000;
  assert.equal(verdict(verifier, text), true, "as far as the signed time goes back, and no further");
  assert.equal(verifier.status.age, 0);
  issuer.instead = { events: answers.missing };
  time.millis += 600_000;
  issuer.publish();
  await time.pass(70);
  assert.equal(verdict(verifier, issuer.token()), true);
});

test("older lists are ignored, from the same host or another, in full or as deltas", async (context) => {
  const { time, issuer, verifier, told } = await following(context, {}, { prepare: noStream });
  const text = issuer.token();
  const old = { full: issuer.list(), events: `data: ${issuer.delta(1)}\n\n` };
  issuer.publish();
  const before = issuer.delta(1, 2);
  issuer.publish(text);
  await time.pass(6);
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
  const { seq } = verifier.status;
  for (const since of [() => ({ status: 200, body: before }), answers.missing]) {
    issuer.instead = { events: answers.missing, since, revocations: () => ({ status: 200, body: old.full }) };
    await time.pass(15);
    assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
    assert.equal(verifier.status.seq, seq);
    assert.ok(verifier.status.lastContact < time.seconds() - 10, "an old list is no sign of life");
  }
  await verifier.refresh();
  assert.equal(verifier.status.seq, seq);
  assert.deepEqual(told.map(([type]) => type), ["revoked"]);
});

test("an issuer that contradicts itself is an alarm, when it happens, and what is held stays", async (context) => {
  for (const transport of ["stream", "poll"]) {
    await context.test(transport, async (context) => {
      const { time, issuer, verifier, told } = await following(context, {}, { prepare: transport === "poll" ? noStream : undefined });
      const text = issuer.token();
      issuer.publish(text);
      await time.pass(6);
      assert.deepEqual(told.splice(0).map(([type]) => type), ["revoked"]);
      const { seq } = verifier.status;
      const other = delta({ seq, base: idOf({}), id: idOf({}), iat: time.seconds(), exp: time.seconds() + 300 });
      issuer.instead.since = () => ({ status: 200, body: other });
      issuer.tell(`data: ${other}\n\n`);
      await time.pass(6);
      assert.ok(told.length >= 1);
      for (const [type, { error }] of told) assert.deepEqual([type, error.code], ["alarm", "ERR_REVLIST_EQUIVOCATION"]);
      assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
      assert.equal(verifier.status.seq, seq);
    });
  }
});

test("a list from the future is an alarm, and what is held stays", async (context) => {
  const { time, issuer, verifier, told } = await following(context);
  await time.pass(1);
  issuer.more = { iat: NOW + 90_000, exp: NOW + 90_300 };
  issuer.publish();
  await settled();
  assert.deepEqual(told.map(([type, { error }]) => [type, error.code]), [["alarm", "ERR_REVLIST_FUTURE"]]);
  assert.equal(verifier.status.seq, 1);
  assert.equal(verdict(verifier, issuer.token()), true);
});

test("deltas that are lost, doubled, replayed or out of order leave the same state in the end", async (context) => {
  const { time, issuer, verifier } = await following(context);
  await time.pass(1);
  const frames = [];
  const tell = issuer.tell.bind(issuer);
  issuer.tell = (text) => frames.push(text);
  const exp = time.seconds() + 900;
  const texts = Array.from({ length: 12 }, (_, index) => issuer.token({ exp, jti: `${Math.floor(exp / 256)}.${index}` }));
  for (const text of texts) issuer.publish(text);
  for (const at of [1, 0, 3, 2, 2, 5, 4, 9, 11, 6, 0]) {
    tell(frames[at]);
    await time.pass(0.3);
    const revoked = texts.map((text) => verdict(verifier, text)).filter((found) => found !== true);
    assert.equal(revoked.length, verifier.status.seq - 1, "exactly what the number says");
  }
  await time.pass(3);
  assert.deepEqual([verifier.status.seq, verifier.status.entries], [13, 12]);
});

test("a delta that is cut off, has a bit flipped, or is signed by another key is not taken", async (context) => {
  const { issuer, verifier, told } = await following(context, { follow: false });
  const text = issuer.token();
  issuer.publish(text);
  const whole = issuer.delta(1);
  const bytes = Buffer.from(whole);
  const broken = [];
  for (let length = 0; length < bytes.length; length += 1) broken.push(bytes.subarray(0, length));
  for (let at = 0; at < bytes.length; at += 1) {
    const flipped = Buffer.from(bytes);
    flipped[at] ^= 1 << (at % 8);
    broken.push(flipped);
  }
  const { seq, iat, exp } = issuer.newest;
  broken.push(delta({ seq, iat, exp, add: placeOf(text), id: idOf(placeOf(text)), key: tokenKey }));
  broken.push(delta({ seq, iat, exp, add: placeOf(text), id: idOf(placeOf(text)), iss: "https://else.example" }));
  broken.push(issuer.token());
  for (const body of broken) {
    issuer.instead = { since: () => ({ status: 200, body }) };
    await assert.rejects(verifier.refresh({ ifOlderThan: 0 }), { code: "ERR_REVLIST_INVALID" });
  }
  assert.equal(verifier.status.seq, 1);
  issuer.instead = { since: () => ({ status: 200, body: whole }) };
  await verifier.refresh({ ifOlderThan: 0 });
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
  assert.deepEqual(told, [["revoked", { seq: 2, entries: 1, added: 1 }]]);
});

test("a delta without its base has the full list fetched, and no list is ever made of it", async (context) => {
  const { issuer, verifier } = await following(context, { follow: false });
  const text = issuer.token();
  issuer.publish(text);
  const { seq, iat, exp } = issuer.newest;
  const foreign = delta({ seq: seq + 5, iat, exp, base: idOf({ 9: [9] }), id: idOf({ 9: [9], 10: [1] }), add: { 10: [1] } });
  issuer.instead = { since: () => ({ status: 200, body: foreign }) };
  asked(issuer);
  await verifier.refresh({ ifOlderThan: 0 });
  assert.deepEqual(asked(issuer), { since: 1, revocations: 1 });
  assert.equal(verifier.status.seq, 2);
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
});

test("a listener that throws or rejects harms nobody, and is told of on the console", async (context) => {
  const errors = context.mock.method(console, "error", () => {});
  const reported = () => errors.mock.calls.filter(({ arguments: [, error] }) => error?.message === "mine").length;
  const { time, issuer, verifier } = await following(context);
  await time.pass(1);
  const failing = () => {
    throw new Error("mine");
  };
  const seen = [];
  verifier.addEventListener("revoked", failing);
  verifier.addEventListener("revoked", async () => failing());
  verifier.addEventListener("revoked", { handleEvent: failing });
  verifier.addEventListener("revoked", function (event) {
    seen.push([this === verifier, event.target === verifier, Object.isFrozen(event.detail)]);
  });
  verifier.addEventListener("revoked", null);
  issuer.publish(issuer.token());
  await settled();
  assert.deepEqual(seen, [[true, true, true]]);
  assert.equal(reported(), 3);
  assert.equal(verifier.status.transport, "stream");
  verifier.removeEventListener("revoked", failing);
  issuer.publish(issuer.token({ jti: `${Math.floor((time.seconds() + 900) / 256)}.8` }));
  await settled();
  assert.equal(reported(), 5);
});

test("a listener is called once where it is added twice, and only once where it asks for that", async (context) => {
  const { time, issuer, verifier } = await following(context);
  await time.pass(1);
  let [twice, once] = [0, 0];
  const counted = () => (twice += 1);
  verifier.addEventListener("revoked", counted);
  verifier.addEventListener("revoked", counted);
  verifier.addEventListener("revoked", () => (once += 1), { once: true });
  for (const index of [1, 2]) issuer.publish(issuer.token({ jti: `${Math.floor((time.seconds() + 900) / 256)}.${index}` }));
  await settled();
  assert.deepEqual([twice, once], [2, 1]);
});

test("rules are told of as what they are: a list that revokes more, with no entry added", async (context) => {
  const { time, issuer, verifier, told } = await following(context);
  await time.pass(1);
  issuer.more = { cut: { all: time.seconds() - 30 } };
  issuer.publish();
  issuer.publish();
  await settled();
  assert.deepEqual(told, [["revoked", { seq: 2, entries: 0, added: 0 }]]);
  assert.equal(verdict(verifier, issuer.token()), "ERR_TOKEN_REVOKED");
  assert.equal(verifier.status.rules, 1);
});

test("no fault in the background is ever an unhandled rejection, a failing clock included", async (context) => {
  const failures = [];
  const onFailure = (error) => failures.push(error);
  process.on("unhandledRejection", onFailure);
  process.on("uncaughtException", onFailure);
  context.after(() => process.off("unhandledRejection", onFailure).off("uncaughtException", onFailure));
  let broken = false;
  const { time, issuer, verifier } = await following(context, ({ time }) => ({ now: () => (broken ? NaN : time.seconds()) }));
  await time.pass(1);
  broken = true;
  for (let at = 0; at < 40; at += 1) {
    issuer.publish();
    issuer.tell("event: list\ndata: 99999\n\n");
    await time.pass(11);
  }
  broken = false;
  await time.pass(80);
  assert.equal(verdict(verifier, issuer.token()), true);
  assert.deepEqual(failures, []);
});
