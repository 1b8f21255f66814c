/** What refresh({ ifOlderThan }) does, which is what keeps a verifier up to date where nothing goes on in the background. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createVerifier, UsageError } from "countersign";
import { keyOf, keySet, listKey, token, tokenKey } from "../issuing.js";
import { settled } from "../virtual-time.js";
import { answers, asked, following, verdict } from "./follow.js";

const still = { follow: false };

/** Lets the issuer's list live longer than the test. */
const lasting = {
  prepare(issuer) {
    issuer.life = 10_000;
    issuer.publish();
  },
};

test("it fetches a delta when the last check is older, and nothing when it is younger", async (context) => {
  const { time, issuer, verifier } = await following(context, still);
  asked(issuer);
  const text = issuer.token();
  issuer.publish(text);
  await verifier.refresh({ ifOlderThan: 1 });
  assert.deepEqual([asked(issuer), verdict(verifier, text)], [{}, true], "it was fetched just now");
  await time.pass(1);
  await verifier.refresh({ ifOlderThan: 1 });
  assert.deepEqual([asked(issuer), verdict(verifier, text)], [{ since: 1 }, "ERR_TOKEN_REVOKED"]);
  await time.pass(0.9);
  await verifier.refresh({ ifOlderThan: 1 });
  assert.deepEqual(asked(issuer), {});
  await verifier.refresh({ ifOlderThan: 0 });
  await verifier.refresh({ ifOlderThan: 0 });
  assert.deepEqual(asked(issuer), { since: 2 });
  issuer.instead.since = answers.missing;
  await time.pass(1);
  await verifier.refresh({ ifOlderThan: 1 });
  assert.deepEqual(asked(issuer), { since: 1, revocations: 1 });
  await verifier.refresh();
  assert.deepEqual(asked(issuer), { "jwks.json": 1, revocations: 1 });
});

test("a call goes on while another one fetches, and one that never returns holds nobody up for longer than its turn", async (context) => {
  const { time, issuer, verifier } = await following(context, still);
  asked(issuer);
  issuer.instead.since = answers.silent;
  await time.pass(2);
  const controller = new AbortController();
  const hanging = verifier.refresh({ ifOlderThan: 1, signal: controller.signal });
  await verifier.refresh({ ifOlderThan: 1 });
  await time.pass(0.9);
  await verifier.refresh({ ifOlderThan: 1 });
  assert.deepEqual(asked(issuer), { since: 1 });
  delete issuer.instead.since;
  await time.pass(0.1);
  await verifier.refresh({ ifOlderThan: 1 });
  assert.deepEqual(asked(issuer), { since: 1 });
  controller.abort();
  await assert.rejects(hanging, { code: "ERR_FETCH" });
});

test("where the list is too old nobody goes on with it: each call fetches for itself", async (context) => {
  const { time, issuer, verifier } = await following(context, still);
  await time.pass(400);
  issuer.publish();
  asked(issuer);
  await Promise.all([1, 2, 3].map(() => verifier.refresh({ ifOlderThan: 1 })));
  assert.equal(asked(issuer).since, 3);
  assert.equal(verdict(verifier, issuer.token()), true);
});

test("a list that has become too old is fetched again, however lately it was the newest, and by not every call when that is too old as well", async (context) => {
  const { time, issuer, verifier } = await following(context, still);
  await time.pass(100);
  issuer.publish();
  time.sleep(290);
  await verifier.refresh({ ifOlderThan: 300 });
  asked(issuer);
  await time.pass(10);
  assert.equal(verifier.status.stale, true);
  for (let at = 0; at < 10; at += 1) {
    await verifier.refresh({ ifOlderThan: 300 });
    await time.pass(0.1);
  }
  assert.deepEqual(asked(issuer), { since: 2 });
  issuer.publish();
  await time.pass(1);
  await verifier.refresh({ ifOlderThan: 300 });
  assert.deepEqual([asked(issuer), verifier.status.stale], [{ since: 1 }, false]);
  await verifier.refresh({ ifOlderThan: 300 });
  assert.deepEqual(asked(issuer), {});
});

test("a failure is thrown to the call that met it, and spares the calls of the next moment", async (context) => {
  const { time, issuer, verifier } = await following(context, still);
  issuer.instead.since = answers.error;
  await time.pass(2);
  await assert.rejects(verifier.refresh({ ifOlderThan: 1 }), { code: "ERR_FETCH", status: 500 });
  asked(issuer);
  await verifier.refresh({ ifOlderThan: 1 });
  assert.deepEqual(asked(issuer), {});
  let failures = 0;
  for (let at = 0; at < 600; at += 1) {
    await time.pass(0.1);
    await verifier.refresh({ ifOlderThan: 1 }).catch(() => (failures += 1));
  }
  assert.ok(failures >= 12 && failures <= 18, `${failures} in a minute`);
  delete issuer.instead.since;
  await time.pass(5);
  await verifier.refresh({ ifOlderThan: 1 });
  assert.equal(verifier.status.age, 67);
  assert.equal(verdict(verifier, issuer.token()), true);
});

test("a call that its caller gives up is no failure: the next one fetches what is due, keys for an unknown key included", async (context) => {
  const { time, issuer, verifier } = await following(context, still);
  const text = issuer.token();
  issuer.publish(text);
  await time.pass(2);
  assert.equal(verdict(verifier, token({}, {}, keyOf(9, "token"))), "ERR_JWKS_NO_MATCHING_KEY");
  issuer.instead = { since: answers.silent, "jwks.json": answers.silent };
  for (let times = 0; times < 5; times += 1) {
    const controller = new AbortController();
    asked(issuer);
    const given = verifier.refresh({ ifOlderThan: 1, signal: controller.signal });
    await settled();
    assert.deepEqual(asked(issuer), { "jwks.json": 1, since: 1 });
    controller.abort();
    await assert.rejects(given, { code: "ERR_FETCH", message: /aborted/ });
  }
  issuer.instead = {};
  await verifier.refresh({ ifOlderThan: 1 });
  assert.deepEqual([asked(issuer), verdict(verifier, text)], [{ "jwks.json": 1, since: 1 }, "ERR_TOKEN_REVOKED"]);
});

test("an issuer that lets a call wait until its time is over spares the calls of the next moment, whoever has set the time", async (context) => {
  for (const timeout of [0.02, 60]) {
    const { time, issuer, verifier } = await following(context, { ...still, timeout });
    await time.pass(2);
    issuer.instead.since = answers.silent;
    const signal = timeout === 60 ? AbortSignal.timeout(20) : undefined;
    await assert.rejects(verifier.refresh({ ifOlderThan: 1, signal }), { code: "ERR_FETCH" });
    asked(issuer);
    await verifier.refresh({ ifOlderThan: 1 });
    assert.deepEqual(asked(issuer), {});
  }
});

test("after an unknown key the next call fetches the keys too, once per cool-down", async (context) => {
  const { time, issuer, verifier } = await following(context, still);
  asked(issuer);
  const next = keyOf(8, "token");
  issuer.keys = keySet(tokenKey, next, listKey);
  const [ofNext, ofNobody] = [next, keyOf(9, "token")].map((key) => token({}, {}, key));
  assert.equal(verdict(verifier, ofNext), "ERR_JWKS_NO_MATCHING_KEY");
  await verifier.refresh({ ifOlderThan: 60 });
  assert.deepEqual(asked(issuer), { "jwks.json": 1 });
  assert.equal(verdict(verifier, ofNext), true);
  for (let at = 0; at < 50; at += 1) {
    assert.equal(verdict(verifier, ofNobody), "ERR_JWKS_NO_MATCHING_KEY");
    await verifier.refresh({ ifOlderThan: 10_000 });
    await time.pass(1);
  }
  assert.deepEqual(asked(issuer), { "jwks.json": 1 });
});

test("keys are fetched every five minutes by it", async (context) => {
  const { time, issuer, verifier } = await following(context, still, lasting);
  asked(issuer);
  for (let at = 0; at < 100; at += 1) {
    await time.pass(10);
    await verifier.refresh({ ifOlderThan: 10_000 });
  }
  assert.deepEqual(asked(issuer), { "jwks.json": 3 });
});

test("what was given is never due, and takes no other call's turn", async (context) => {
  const { time, issuer, given } = await following(context, still, lasting);
  const ofKeys = await createVerifier({ ...given, ...still, keys: keySet() });
  const ofList = await createVerifier({ ...given, ...still, revocations: null });
  await time.pass(301);
  asked(issuer);
  await Promise.all([ofKeys, ofList].map((verifier) => verifier.refresh({ ifOlderThan: 60 })));
  assert.deepEqual(asked(issuer), { since: 1, "jwks.json": 1 });
  await time.pass(59);
  await Promise.all([ofKeys, ofList].map((verifier) => verifier.refresh({ ifOlderThan: 60 })));
  assert.deepEqual(asked(issuer), {});
  await time.pass(2);
  assert.equal(verdict(ofList, token({}, {}, keyOf(9, "token"))), "ERR_JWKS_NO_MATCHING_KEY");
  await ofKeys.refresh({ ifOlderThan: 60 });
  assert.deepEqual(asked(issuer), { since: 1 });
  await ofList.refresh({ ifOlderThan: 60 });
  assert.deepEqual(asked(issuer), { "jwks.json": 1 });
});

test("a list signed by a new key has the keys fetched by the call after", async (context) => {
  const { time, issuer, verifier } = await following(context, still);
  const next = keyOf(5, "revocations");
  const text = issuer.token();
  issuer.keys = keySet(tokenKey, next);
  issuer.more = { key: next };
  issuer.publish(text);
  await assert.rejects(verifier.refresh({ ifOlderThan: 0 }), { code: "ERR_REVLIST_INVALID", reason: "signature" });
  await time.pass(5);
  await verifier.refresh({ ifOlderThan: 1 });
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
});

test("a list is taken a moment after it arrives, also while the keys never do", async (context) => {
  const { time, issuer, verifier } = await following(context, still);
  const [text, controller] = [issuer.token(), new AbortController()];
  issuer.publish(text);
  issuer.instead["jwks.json"] = answers.silent;
  const hanging = verifier.refresh({ signal: controller.signal });
  await settled();
  assert.equal(verdict(verifier, text), true);
  await time.pass(0.25);
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
  controller.abort();
  await assert.rejects(hanging, { code: "ERR_FETCH", message: /JWK Set/ });
});

test("keys that arrive a little later than a list they withdraw the signer of come first", async (context) => {
  const { time, issuer, verifier } = await following(context, still);
  const text = issuer.token();
  issuer.publish(text);
  let arrive;
  issuer.instead["jwks.json"] = () => new Promise((resolve) => (arrive = resolve));
  const refresh = verifier.refresh();
  await settled();
  await time.pass(0.1);
  arrive({ status: 200, body: JSON.stringify(keySet(tokenKey, keyOf(5, "revocations"))) });
  await assert.rejects(refresh, { code: "ERR_REVLIST_INVALID", reason: "signature" });
  assert.equal(verdict(verifier, text), true, "the list held before stays");
});

test("a list by a key that comes with it waits for the keys, which are not wanted again then", async (context) => {
  const { time, issuer, verifier } = await following(context, still);
  const [text, next] = [issuer.token(), keyOf(5, "revocations")];
  issuer.more = { key: next };
  issuer.publish(text);
  let arrive;
  issuer.instead["jwks.json"] = () => new Promise((resolve) => (arrive = resolve));
  const refresh = verifier.refresh();
  await settled();
  assert.equal(verdict(verifier, text), true);
  arrive({ status: 200, body: JSON.stringify(keySet(tokenKey, next)) });
  await refresh;
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
  await time.pass(2);
  asked(issuer);
  await verifier.refresh({ ifOlderThan: 1 });
  assert.deepEqual(asked(issuer), { since: 1 });
});

test("it takes no other options, and no time that is none", async (context) => {
  const { verifier } = await following(context, still);
  for (const ifOlderThan of [-1, NaN, "1", null, Infinity]) await assert.rejects(verifier.refresh({ ifOlderThan }), UsageError);
});
