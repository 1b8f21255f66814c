import assert from "node:assert/strict";
import { test } from "node:test";
import { createVerifier, FetchError } from "countersign";
import { keyOf, keySet, list, listKey, token, tokenKey } from "../issuing.js";
import { settled } from "../virtual-time.js";
import { answers, asked, beating, following, verdict } from "./follow.js";

const nothing = {};

async function untilStream(verifier, time, seconds) {
  for (let left = seconds; left > 0 && verifier.status.transport !== "stream"; left -= 1) await time.pass(1);
  assert.equal(verifier.status.transport, "stream");
}

test("a revocation arrives by the stream, and nothing is asked for", async (context) => {
  const { time, issuer, verifier, told } = await following(context);
  assert.equal(verifier.status.transport, "poll");
  await time.pass(1);
  assert.equal(verifier.status.transport, "stream");
  const text = issuer.token();
  assert.equal(verdict(verifier, text), true);
  assert.deepEqual(asked(issuer), { "jwks.json": 1, revocations: 1, events: 1 });
  issuer.publish(text);
  await settled();
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
  assert.deepEqual(told, [["revoked", { seq: 2, entries: 1, added: 1 }]]);
  await beating(issuer, time, 225); // the key set is due again after four minutes at the earliest
  assert.deepEqual(asked(issuer), nothing);
  assert.equal(verifier.status.transport, "stream");
  assert.equal(told.length, 1, "a list signed again is no news");
});

test("without a stream the verifier asks every few seconds, for what has changed only", async (context) => {
  const { time, issuer, verifier, told } = await following(context, { pollInterval: 2 }, { prepare: (issuer) => (issuer.instead.events = answers.missing) });
  asked(issuer);
  await time.pass(20);
  const { since, events, ...else_ } = asked(issuer);
  assert.ok(since >= 8 && since <= 13, `${since} questions in 20 s`);
  assert.ok(events >= 3 && events <= 6, `${events} attempts to open the stream`);
  assert.deepEqual(else_, nothing);
  const text = issuer.token();
  issuer.publish(text);
  await time.pass(2.4);
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
  assert.equal(told.length, 1);
  const { transport, lastContact, age } = verifier.status;
  assert.ok(transport === "poll" && lastContact >= time.seconds() - 3 && age <= 3);
});

test("where there is no delta the full list is fetched", async (context) => {
  for (const since of [() => ({ status: 303, headers: { location: "/revocations" } }), answers.missing]) {
    await context.test("", async (context) => {
      const prepare = ({ instead }) => Object.assign(instead, { events: answers.missing, since });
      const { time, issuer, verifier, told } = await following(context, {}, { prepare });
      const text = issuer.token();
      issuer.publish(text);
      await time.pass(6);
      assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
      assert.deepEqual(told, [["revoked", { seq: 2, entries: 1, added: 1 }]]);
    });
  }
});

test("when heartbeats stop the verifier asks, and opens the stream again", async (context) => {
  const { time, issuer, verifier } = await following(context);
  await beating(issuer, time, 60);
  assert.equal(verifier.status.transport, "stream");
  asked(issuer);
  await time.pass(24);
  assert.deepEqual(asked(issuer), nothing);
  await time.pass(2.5);
  assert.equal(asked(issuer).events, 1);
  assert.equal(verifier.status.transport, "stream", "its greeting was news enough");
  issuer.instead.events = answers.error;
  await time.pass(26.5);
  assert.ok(asked(issuer).since >= 1);
  assert.equal(verifier.status.transport, "poll");
});

test("comments and what is held already keep no stream alive", async (context) => {
  const { time, issuer, verifier } = await following(context);
  await time.pass(1);
  const replayed = `data: ${issuer.delta(1)}\n\n`;
  issuer.publish();
  issuer.instead.events = answers.missing;
  for (let at = 0; at < 30; at += 1) {
    issuer.tell(": still here\n\n");
    issuer.tell(replayed);
    issuer.tell(`data: ${issuer.delta(1)}\n\n`);
    issuer.tell("event: list\ndata: 2\n\nevent: else\ndata: 3\n\n");
    await time.pass(1);
  }
  assert.equal(verifier.status.transport, "poll");
});

test("a stream that ends is replaced by asking at once, and opened again later and later", async (context) => {
  const { time, issuer, verifier } = await following(context);
  await time.pass(1);
  const text = issuer.token();
  issuer.instead.events = answers.error;
  asked(issuer);
  issuer.hangUp();
  issuer.publish(text);
  await time.pass(1.3);
  assert.equal(verifier.status.transport, "poll");
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
  await time.pass(600);
  const { events } = asked(issuer);
  assert.ok(events >= 7 && events <= 12, `${events} attempts`);
  delete issuer.instead.events;
  await untilStream(verifier, time, 400);
});

test("a stream that only ever greets is opened later and later too", async (context) => {
  const { time, issuer } = await following(context);
  asked(issuer);
  for (let at = 0; at < 1200; at += 1) {
    await time.pass(0.5);
    issuer.hangUp();
  }
  const { events } = asked(issuer);
  assert.ok(events <= 13, `${events} attempts`);
});

test("what is no stream of this issuer is left", async (context) => {
  const stream = { "content-type": "text/event-stream" };
  const faults = {
    "a page": answers.page,
    "another type": (issuer) => ({ status: 200, headers: { "content-type": "text/plain" }, body: (send) => { send(`data: ${issuer.delta(1)}\n\n`); return () => {}; } }),
    "status 204": () => ({ status: 204 }),
    "a redirect": () => ({ status: 307, headers: { location: "/else" } }),
    "an endless event": () => ({ status: 200, headers: stream, body: (send) => { send("data: ".padEnd(50_000, "x")); return () => {}; } }),
    "bytes that are no text": () => ({ status: 200, headers: stream, body: new Uint8Array([0xff, 10, 10]) }),
    "a document that is none": () => ({ status: 200, headers: stream, body: (send) => { send("data: x\n\n"); return () => {}; } }),
    "no body": () => ({ status: 200, headers: stream }),
    "no answer": answers.silent,
  };
  for (const [name, events] of Object.entries(faults)) {
    await context.test(name, async (context) => {
      const { time, issuer, verifier } = await following(context, {}, { prepare: (issuer) => (issuer.instead.events = () => events(issuer)) });
      await time.pass(0.5);
      assert.equal(verifier.status.transport, "poll");
      await time.pass(29.5);
      assert.equal(verifier.status.transport, "poll");
      assert.ok(asked(issuer).since >= 4);
      delete issuer.instead.events;
      await untilStream(verifier, time, 100);
    });
  }
});

test("a gap is closed by a delta, or by the full list", async (context) => {
  for (const [name, since, kind] of [["delta", undefined, "since"], ["list", answers.missing, "revocations"]]) {
    await context.test(name, async (context) => {
      const { time, issuer, verifier, told } = await following(context);
      await time.pass(1);
      const exp = time.seconds() + 900;
      const texts = [1, 2, 3].map((index) => issuer.token({ exp, jti: `${Math.floor(exp / 256)}.${index}` }));
      issuer.instead.since = since;
      asked(issuer);
      const { tell } = issuer;
      issuer.tell = () => {}; // this one is lost
      issuer.publish(texts[0]);
      issuer.tell = tell;
      issuer.publish(texts[1]);
      issuer.publish(texts[2]);
      await time.pass(1.3);
      assert.deepEqual(texts.map((text) => verdict(verifier, text)), Array(3).fill("ERR_TOKEN_REVOKED"));
      assert.ok(asked(issuer)[kind] >= 1);
      assert.deepEqual(told.at(-1)[1].entries, 3);
      assert.equal(verifier.status.transport, "stream");
    });
  }
});

test("news that cannot be had as a delta are fetched as a list, and announced numbers that are held are not", async (context) => {
  const { time, issuer, verifier } = await following(context);
  await time.pass(1);
  const text = issuer.token();
  const { tell } = issuer;
  issuer.tell = () => {};
  issuer.publish(text);
  issuer.tell = tell;
  asked(issuer);
  issuer.tell("event: list\ndata: 1\n\nevent: list\ndata: x\n\nevent: list\ndata: -1\n\n");
  await settled();
  assert.deepEqual(asked(issuer), nothing);
  issuer.tell("event: list\ndata: 2\n\n");
  await settled();
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
  assert.deepEqual(asked(issuer), { revocations: 1 });
});

test("there is never more than one fetch of a kind at a time", async (context) => {
  const [under, most] = [{}, {}];
  let slow = false;
  const { time, issuer, verifier } = await following(context, ({ time, issuer }) => ({
    pollInterval: 0.5,
    fetch: async (url, init) => {
      const kind = url.split("/").at(-1).replace(/^\d+$/, "since");
      under[kind] = (under[kind] ?? 0) + 1;
      most[kind] = Math.max(most[kind] ?? 0, under[kind]);
      if (slow) await new Promise((resolve) => time.later(resolve, 1700));
      under[kind] -= 1;
      return issuer.fetch(url, init);
    },
  }));
  slow = true;
  const ofNobody = token({ iss: issuer.iss }, {}, keyOf(9, "token"));
  for (let at = 0; at < 60; at += 1) {
    issuer.publish();
    issuer.tell("event: list\ndata: 999\n\n");
    verdict(verifier, ofNobody);
    await time.pass(0.7);
  }
  assert.deepEqual(most, { "jwks.json": 1, revocations: 1, events: 1, since: 1 });
});

test("failures are answered by pauses, Retry-After by longer ones, both bounded", async (context) => {
  const prepare = ({ instead }) => Object.assign(instead, { events: answers.missing });
  const { time, issuer, verifier } = await following(context, {}, { prepare });
  issuer.instead.since = answers.error;
  await time.pass(30);
  asked(issuer);
  await time.pass(600);
  const { since } = asked(issuer);
  assert.ok(since >= 8 && since <= 13, `${since} questions in 10 min`);
  assert.ok(verifier.status.lastError instanceof FetchError && verifier.status.lastError.status === 500);
  for (const [seconds, most] of [["30", 22], ["999999999", 13]]) {
    issuer.instead.since = () => ({ status: 503, headers: { "retry-after": seconds } });
    asked(issuer);
    await time.pass(600);
    const { since } = asked(issuer);
    assert.ok(since >= 8 && since <= most, `${since} questions`);
  }
  delete issuer.instead.since;
  await time.pass(80);
  assert.equal(verifier.status.lastError, null);
  asked(issuer);
  await time.pass(60);
  assert.ok(asked(issuer).since >= 9, "back to every few seconds");
});

test("an unknown key in a token throws as ever, and has the keys fetched once per cool-down", async (context) => {
  const { time, issuer, verifier } = await following(context);
  await time.pass(1);
  asked(issuer);
  const next = keyOf(8, "token");
  const ofNext = token({}, {}, next);
  const ofNobody = token({}, {}, keyOf(9, "token"));
  assert.equal(verdict(verifier, ofNext), "ERR_JWKS_NO_MATCHING_KEY");
  assert.deepEqual(asked(issuer), nothing, "nothing is fetched by verifying itself");
  issuer.keys = keySet(tokenKey, next, listKey);
  await time.pass(0);
  assert.deepEqual(asked(issuer), { "jwks.json": 1 });
  assert.equal(verdict(verifier, ofNext), true);
  for (let at = 0; at < 40; at += 1) {
    for (let times = 0; times < 20; times += 1) assert.equal(verdict(verifier, ofNobody), "ERR_JWKS_NO_MATCHING_KEY");
    await time.pass(2);
  }
  assert.equal(asked(issuer)["jwks.json"], 2);
});

test("a list signed by a new key is taken once the keys have been fetched, which its arrival brings about", async (context) => {
  for (const transport of ["stream", "poll"]) {
    await context.test(transport, async (context) => {
      const prepare = ({ instead }) => transport === "poll" && (instead.events = answers.missing);
      const { time, issuer, verifier } = await following(context, {}, { prepare });
      await time.pass(1);
      assert.equal(verifier.status.transport, transport);
      const next = keyOf(5, "revocations");
      const text = issuer.token();
      issuer.keys = keySet(tokenKey, next);
      issuer.more = { key: next };
      issuer.publish(text);
      await time.pass(transport === "poll" ? 6 : 0);
      assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
      assert.equal(asked(issuer)["jwks.json"], 2);
      assert.equal(verifier.status.transport, transport);
    });
  }
});

test("keys are fetched again every few minutes, and after a failure sooner", async (context) => {
  const { time, issuer, verifier } = await following(context);
  await time.pass(1);
  asked(issuer);
  await beating(issuer, time, 1500);
  const { "jwks.json": keys } = asked(issuer);
  assert.ok(keys >= 4 && keys <= 6, `${keys} times in 25 min`);
  issuer.instead["jwks.json"] = answers.page;
  await beating(issuer, time, 800);
  assert.ok(asked(issuer)["jwks.json"] >= 8);
  assert.equal(verdict(verifier, issuer.token()), true);
});

test("a verifier that does without revocation follows the keys alone", async (context) => {
  const { time, issuer, verifier } = await following(context, { revocations: null });
  await time.pass(700);
  const { "jwks.json": keys, ...more } = asked(issuer);
  assert.ok(keys >= 2 && keys <= 4);
  assert.deepEqual(more, nothing);
  assert.deepEqual([verifier.status.transport, verifier.status.stale], ["poll", false]);
});

test("closing ends everything at once", async (context) => {
  const { time, issuer, verifier, told } = await following(context);
  await time.pass(1);
  assert.equal(issuer.followers, 1);
  verifier.close();
  await settled();
  assert.deepEqual([issuer.followers, time.timers], [0, 0]);
  asked(issuer);
  issuer.publish(issuer.token());
  await time.pass(1000);
  assert.deepEqual([asked(issuer), told], [{}, []]);
});

test("closing while something is being fetched ends that too, and nothing is told of it", async (context) => {
  const signals = [];
  const { time, verifier, told } = await following(context, ({ issuer }) => ({
    fetch: (url, { signal }) => (signals.push(signal) <= 2 ? issuer.fetch(url) : new Promise(() => {})),
  }));
  await time.pass(6.5);
  verifier.close();
  await settled();
  assert.ok(signals.length >= 4);
  assert.ok(signals.slice(2).every((signal) => signal.aborted));
  assert.deepEqual([time.timers, told], [0, []]);
});

test("a listener may close the verifier, from any event", async (context) => {
  const { time, issuer, verifier } = await following(context);
  await time.pass(1);
  verifier.addEventListener("revoked", () => verifier.close());
  issuer.publish(issuer.token());
  await settled();
  assert.deepEqual([issuer.followers, time.timers], [0, 0]);
});

test("the signal of the creation ends no following", async (context) => {
  const controller = new AbortController();
  const { time, issuer, verifier } = await following(context, { signal: controller.signal });
  controller.abort();
  await time.pass(1);
  const text = issuer.token();
  issuer.publish(text);
  await settled();
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
});

test("a verifier that is not to follow asks for nothing, and one of given documents neither", async (context) => {
  const { time, issuer, verifier } = await following(context, { follow: false });
  asked(issuer);
  await time.pass(1000);
  assert.deepEqual([asked(issuer), verifier.status.transport, time.timers], [{}, "none", 0]);
  const given = await createVerifier({ issuer: issuer.iss, audience: null, keys: keySet(), revocations: list(), now: time.seconds });
  assert.deepEqual([given.status.transport, time.timers], ["none", 0]);
});

test("a runtime that has slept asks at once when it wakes", async (context) => {
  const { time, issuer, verifier } = await following(context);
  await time.pass(1);
  const text = issuer.token();
  time.sleep(200); // the stream has died without a word, and with it all timers have been late
  issuer.tell = () => {};
  issuer.publish(text);
  asked(issuer);
  await time.pass(0.1);
  assert.deepEqual(asked(issuer), { events: 1 }, "the stream's greeting tells");
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
});
