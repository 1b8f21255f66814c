/** What the console concludes of what its verifier is told, without a browser, in a time of the test's own. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Following } from "../../www/following.js";
import { createRecorder } from "../../www/log.js";
import { createStore, INITIAL } from "../../www/state.js";
import { createTabs } from "../../www/tabs.js";
import { extend, picture, summary, WINDOW_MS } from "../../www/trail.js";

const STATUS = Object.freeze({ seq: 7, entries: 0, rules: 0, transport: "stream", lastError: null, lastContact: 0 });

/** A verifier that knows what the test says, and a clock that the test moves. */
function followed() {
  const time = { now: 1000, later: [] };
  const clock = { milliseconds: () => time.now, shared: () => time.now, pause: () => new Promise((resolve) => time.later.push(resolve)) };
  const store = createStore({ ...INITIAL }, () => {});
  const following = new Following({ store, record: createRecorder(store, clock), clock });
  const verifier = Object.assign(new EventTarget(), { status: STATUS });
  let judged = 0;
  following.attach(verifier, () => {
    judged += 1;
    if (time.verdict !== undefined) store.change({ verdict: time.verdict });
  });
  const tell = (type, detail, status = {}) => {
    verifier.status = { ...verifier.status, ...status };
    verifier.dispatchEvent(Object.assign(new Event(type), { detail }));
  };
  const revoke = (seq, added = 1) => {
    const entries = verifier.status.entries + added;
    tell("revoked", { seq, entries, added }, { seq, entries });
  };
  const come = (status) => {
    verifier.status = { ...verifier.status, ...status };
    following.look();
  };
  const kinds = () => store.read().trail.map(({ kind, way }) => way ?? kind);
  const log = () => store.read().log.map(({ text }) => text);
  return { time, store, following, verifier, tell, revoke, come, kinds, log, judged: () => judged };
}

test("each list that comes is a heartbeat, or revokes more, and the way it came by is noted", () => {
  const { come, revoke, kinds, store, judged } = followed();
  come({ seq: 8 });
  come({});
  revoke(9, 3);
  come({});
  come({ transport: "poll" });
  come({ lastError: new Error("away") });
  come({ transport: "stream", lastError: null, seq: 10 });
  assert.deepEqual(kinds(), ["stream", "first", "heartbeat", "revoked", "poll", "cut", "stream", "heartbeat"]);
  assert.deepEqual(store.read().feed.map(({ kind }) => kind), ["way", "way", "way", "revoked"]);
  assert.equal(store.read().list.seq, 10);
  assert.equal(judged(), 1, "only what revokes changes a verdict");
});

test("with the network switched off the way is cut, whatever the verifier still hopes for", () => {
  const { store, following, kinds, log } = followed();
  store.change({ networkOn: false });
  following.look();
  assert.deepEqual(kinds(), ["stream", "first", "cut"]);
  assert.deepEqual(log(), [], "the switch itself is in the log");
});

test("stale, recovered and alarm are in feed, log and trail, and judged by", () => {
  const { tell, store, kinds, log, judged } = followed();
  tell("stale", { seq: 7, usableUntil: 1 });
  tell("recovered", { seq: 8, usableUntil: 9 });
  tell("alarm", { error: Object.assign(new Error("two lists of one number"), { code: "ERR_REVLIST_EQUIVOCATION" }) });
  assert.deepEqual(kinds().slice(2), ["stale", "recovered", "alarm"]);
  assert.deepEqual(store.read().feed.map(({ kind }) => kind), ["alarm", "recovered", "stale"]);
  assert.match(log()[0], /two lists of one number/);
  assert.deepEqual(store.read().log.map(({ code }) => code), ["ERR_REVLIST_EQUIVOCATION", null, "ERR_STATUS_STALE"]);
  assert.equal(judged(), 3);
});

test("the log has the first of a burst at once and the others in one line", async () => {
  const { time, revoke, log } = followed();
  for (let seq = 8; seq < 58; seq += 1) revoke(seq);
  assert.equal(log().length, 1);
  assert.match(log()[0], /List 8 came by itself: 1 more token, 1 token in all/);
  for (const resolve of time.later.splice(0)) await resolve();
  assert.equal(log().length, 2);
  assert.match(log()[0], /List 57 came by itself: 49 more tokens, 50 tokens in all/);
  for (const resolve of time.later.splice(0)) await resolve();
  revoke(58);
  assert.equal(log().length, 3, "and the next one is at once again");
});

test("a list that revokes by a rule says so", () => {
  const { tell, store, log } = followed();
  tell("revoked", { seq: 8, entries: 0, added: 0 }, { seq: 8, rules: 1 });
  assert.match(log()[0], /1 more rule, 0 tokens in all/);
  assert.equal(store.read().trail.at(-1).rules, 1);
});

test("how long a revocation took is known whichever comes first, the list or the answer", () => {
  const { time, store, following, revoke, come, log } = followed();
  following.expect({ seq: 8, at: 1000, own: true });
  assert.equal(store.read().latency, null);
  time.verdict = { kind: "refused", token: "a.b.c", code: "ERR_TOKEN_REVOKED" };
  time.now = 1040;
  revoke(9);
  assert.deepEqual(store.read().latency, { millis: 40, refused: "a.b.c", own: true });
  assert.match(log()[0], /This page refused the token by itself, 40\sms after the issuer answered\./);
  revoke(10);
  time.now = 1050;
  following.expect({ seq: 10, at: 1045, own: false });
  assert.equal(store.read().latency.millis, -5);
  assert.match(log()[0], /before the issuer had answered another tab/);
  assert.match(log()[0], /The list that says so was here/, "the token was refused before");
  following.expect({ seq: 11, at: 1050, own: true });
  time.now = 1060;
  come({ seq: 11 });
  assert.match(log()[0], /The list that says so was here by itself, 10\sms/);
});

test("a verifier that was replaced is not listened to any more", () => {
  const { following, verifier, store, tell } = followed();
  following.attach(Object.assign(new EventTarget(), { status: STATUS }), () => {});
  tell("stale", { seq: 7, usableUntil: 1 });
  assert.equal(store.read().log.length, 0);
  assert.notEqual(verifier, null);
});

test("tabs tell each other when a revocation was answered and take nothing else for that", () => {
  const sent = [];
  const heard = [];
  const channel = Object.assign(new EventTarget(), { postMessage: (data) => sent.push(data) });
  const tabs = createTabs(channel, (answer) => heard.push(answer));
  tabs.tell({ seq: 8, at: 5, own: true });
  assert.deepEqual(sent, [{ seq: 8, at: 5 }]);
  for (const data of [{ seq: 8, at: 5, own: true }, null, "8", { seq: "8", at: 5 }, { seq: 8.5, at: 5 }, { seq: 8, at: NaN }]) {
    channel.dispatchEvent(new MessageEvent("message", { data }));
  }
  assert.deepEqual(heard, [{ seq: 8, at: 5 }]);
});

test("the picture has what happened within its window, at its place, and the way that held before", () => {
  let trail = [];
  for (const entry of [
    { at: 0, kind: "way", way: "poll" },
    { at: 10, kind: "first", seq: 1 },
    { at: 20, kind: "way", way: "stream" },
    { at: WINDOW_MS, kind: "heartbeat", seq: 2 },
    { at: 1.5 * WINDOW_MS, kind: "revoked", seq: 3, added: 2, rules: 0 },
    { at: 1.5 * WINDOW_MS + 1, kind: "revoked", seq: 4, added: 3, rules: 1 },
    { at: 1.75 * WINDOW_MS, kind: "way", way: "cut" },
  ]) trail = extend(trail, entry);
  assert.deepEqual(trail.map(({ kind }) => kind), ["way", "heartbeat", "revoked", "revoked", "way"], "what has left the window is gone");
  const now = 2 * WINDOW_MS;
  const { ways, marks } = picture(trail, now, 400);
  assert.deepEqual(ways, [{ way: "stream", from: 0, to: 300 }, { way: "cut", from: 300, to: 400 }]);
  assert.deepEqual(marks, [{ x: 200, kind: "revoked", added: 5, rules: 1 }], "a burst is one peak");
  assert.match(summary(trail, now), /0 heartbeats, 2 revocations\. Nothing comes from the issuer/);
});

test("a heartbeat beside a revocation does not hide it, and an alarm is always seen", () => {
  let trail = [];
  for (const [at, kind] of [[1, "heartbeat"], [2, "revoked"], [3, "heartbeat"], [4, "alarm"], [5, "heartbeat"]]) trail = extend(trail, { at, kind, added: 1 });
  assert.deepEqual(picture(trail, 10, 400).marks.map(({ kind }) => kind), ["revoked", "alarm", "heartbeat"]);
});
