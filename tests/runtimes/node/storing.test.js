import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createVerifier, FetchError, ListError } from "countersign";
import { fileStore } from "countersign/stores/file";
import { Saver } from "../../../pkg/src/saver.js";
import { unpacked } from "../../../pkg/src/stored.js";
import { AUDIENCE, delta, idOf, ISSUER, keyOf, keySet, list, listKey, NOW, token, tokenKey } from "../issuing.js";
import { settled, VirtualTime } from "../virtual-time.js";
import { answers, asked, beating, following, heard, verdict } from "./follow.js";

/** A store that remembers, and what was saved into it. */
function memory(content) {
  const store = {
    saves: 0,
    content,
    load: async () => store.content,
    save: async (bytes) => {
      store.saves += 1;
      store.content = bytes.slice();
    },
  };
  return store;
}

/** What a verifier stores that has seen a list, and a delta that revokes `text`. */
async function storedState(context, settings) {
  const store = memory();
  const made = await following(context, { store, ...settings });
  const text = made.issuer.token();
  await made.time.pass(1);
  made.issuer.publish(text);
  await made.time.pass(2);
  assert.equal(verdict(made.verifier, text), "ERR_TOKEN_REVOKED");
  made.verifier.close();
  asked(made.issuer);
  return { ...made, store, text };
}

const offline = () => Promise.reject(new TypeError("no network"));

test("what is stored is used at once, without a network, and is what was known last", async (context) => {
  const { store, text, given, issuer } = await storedState(context);
  const verifier = await createVerifier({ ...given, store, fetch: offline });
  context.after(() => verifier.close());
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
  assert.equal(verdict(verifier, issuer.token({ jti: `${Math.floor((NOW + 901) / 256)}.8` })), true);
  const { seq, lastContact, storeError, transport } = verifier.status;
  assert.deepEqual([seq, lastContact, storeError, transport], [2, null, null, "poll"]);
});

test("nothing is waited for when something is stored, and what is newer is fetched behind that", async (context) => {
  const { store, given, issuer, time } = await storedState(context);
  const other = issuer.token({ jti: `${Math.floor((NOW + 901) / 256)}.8` });
  issuer.publish(other);
  const verifier = await createVerifier({ ...given, store });
  context.after(() => verifier.close());
  const told = heard(verifier);
  assert.deepEqual([asked(issuer), verifier.status.seq], [{}, 2]);
  await time.pass(1);
  const { "jwks.json": keys, revocations } = asked(issuer);
  assert.deepEqual([keys, revocations], [1, undefined], "keys and a delta");
  assert.equal(verdict(verifier, other), "ERR_TOKEN_REVOKED");
  assert.deepEqual(told, [["revoked", { seq: 3, entries: 2, added: 1 }]]);
});

test("a stored list that is too old is not trusted: the network decides, and without one every token is refused until there is", async (context) => {
  const { store, given, issuer, time } = await storedState(context);
  time.sleep(1000);
  issuer.publish();
  const online = await createVerifier({ ...given, store: memory(store.content), follow: false });
  assert.deepEqual([online.status.seq, online.status.stale], [3, false]);
  const verifier = await createVerifier({ ...given, store, fetch: (...all) => (down ? offline() : issuer.fetch(...all)) });
  context.after(() => verifier.close());
  const told = heard(verifier);
  assert.equal(verdict(verifier, issuer.token()), "ERR_STATUS_STALE");
  assert.ok(verifier.status.lastError instanceof FetchError);
  down = false;
  await time.pass(30);
  assert.deepEqual(told.map(([type]) => type), ["recovered"]);
  assert.equal(verdict(verifier, issuer.token({ jti: `${Math.floor((time.seconds() + 900) / 256)}.8` })), true);
});
let down = true;

test("without a network and with nothing stored the creation fails", async (context) => {
  const { given } = await following(context, { follow: false });
  await assert.rejects(createVerifier({ ...given, store: memory(), fetch: offline }), { code: "ERR_FETCH" });
});

test("an issuer, or whoever answers for it, that is behind the store is not believed", async (context) => {
  const { store, given, issuer, time, text } = await storedState(context);
  const old = issuer.list(1);
  time.sleep(310);
  const behind = async (url) => new Response(url.endsWith("jwks.json") ? JSON.stringify(keySet()) : old);
  const verifier = await createVerifier({ ...given, store, fetch: behind, follow: false });
  assert.deepEqual([verifier.status.seq, verifier.status.stale], [2, true]);
  assert.equal(verdict(verifier, text), "ERR_STATUS_STALE");
});

test("a list is taken and stored though the keys that came with it are refused, and these are told of", async (context) => {
  const { store, given, issuer, time, text } = await storedState(context);
  time.sleep(310);
  issuer.publish();
  issuer.instead["jwks.json"] = answers.page;
  const verifier = await createVerifier({ ...given, store, follow: false });
  assert.deepEqual([verifier.status.seq, verdict(verifier, text), verifier.status.lastError.code], [3, "ERR_TOKEN_REVOKED", "ERR_JWKS_INVALID"]);
  const again = await createVerifier({ ...given, store, fetch: offline, follow: false });
  assert.equal(again.status.seq, 3);
});

test("an issuer that contradicts the store is an alarm", async (context) => {
  const { store, given, issuer, time } = await storedState(context);
  const other = delta({ seq: 2, base: idOf({}), id: idOf({}), iat: NOW + 1, exp: NOW + 301 });
  issuer.instead = { since: () => ({ status: 200, body: other }), events: answers.missing };
  const verifier = await createVerifier({ ...given, store });
  context.after(() => verifier.close());
  const told = heard(verifier);
  await time.pass(1);
  assert.deepEqual(told.map(([type, { error }]) => [type, error.code]), [["alarm", "ERR_REVLIST_EQUIVOCATION"]]);
});

test("a stored state that is damaged in any way is dropped and told of, and what is fetched takes its place", async (context) => {
  const { store, given } = await storedState(context);
  const whole = store.content;
  const broken = [];
  for (let length = 0; length < whole.length; length += 7) broken.push(whole.subarray(0, length));
  for (let at = 0; at < whole.length; at += 1) {
    const flipped = whole.slice();
    flipped[at] ^= 1 << (at % 8);
    broken.push(flipped);
  }
  broken.push(Uint8Array.of(...whole, 0), Uint8Array.of(...whole, 0, 0, 0, 0), "text", {}, [], 7, new Uint8Array(40_000_000));
  for (const content of broken) {
    const verifier = await createVerifier({ ...given, store: memory(content), follow: false });
    assert.ok(verifier.status.storeError instanceof Error, `${content?.length}`);
    assert.deepEqual([verifier.status.seq, verifier.status.lastContact], [2, NOW + 3]);
    verifier.close();
  }
});

test("a stored state that holds together and yet is nothing to go by is dropped and told of", async (context) => {
  const { packed } = await import("../../../pkg/src/stored.js");
  const { given, text } = await storedState(context);
  const bytes = (value) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
  const good = { keys: bytes(keySet()), list: list(), deltas: [] };
  const cases = {
    "another issuer's": packed("https://else.example", good),
    "a list of another issuer": packed(ISSUER, { ...good, list: list({ iss: "https://else.example" }) }),
    "a list from the future": packed(ISSUER, { ...good, list: list({ iat: NOW + 90_000, exp: NOW + 90_300 }) }),
    "a list signed by another key": packed(ISSUER, { ...good, keys: bytes({ keys: [keySet().keys[0]] }) }),
    "keys that are none": packed(ISSUER, { ...good, keys: bytes("{}") }),
    "a delta in place of a list": packed(ISSUER, { ...good, list: bytes(delta()) }),
    "a delta without its base": packed(ISSUER, { ...good, deltas: [bytes(delta({ base: idOf({ 9: [9] }) }))] }),
    "a delta twice": packed(ISSUER, { ...good, deltas: [bytes(delta()), bytes(delta())] }),
    "deltas out of order": packed(ISSUER, { ...good, deltas: [bytes(delta({ seq: 3 })), bytes(delta({ seq: 2 }))] }),
    "an empty delta": packed(ISSUER, { ...good, deltas: [new Uint8Array(0)] }),
    "too many deltas": packed(ISSUER, { ...good, deltas: Array(5000).fill(bytes(delta())) }),
  };
  for (const [name, content] of Object.entries(cases)) {
    const verifier = await createVerifier({ ...given, store: memory(content), follow: false });
    assert.ok(verifier.status.storeError instanceof Error, name);
    assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED", name);
    await assert.rejects(createVerifier({ ...given, store: memory(content), fetch: offline }), FetchError, name);
  }
  const future = await createVerifier({ ...given, store: memory(cases["a list from the future"]), follow: false });
  assert.ok(future.status.storeError instanceof ListError && future.status.storeError.code === "ERR_REVLIST_FUTURE");
});

test("a store that fails or hangs harms nothing, and is told of until it works", async (context) => {
  const faults = {
    "load fails": { load: offline },
    "load throws": { load: () => { throw new Error("no"); } },
    "load hangs": { load: () => new Promise(() => {}) },
    "save fails": { save: offline },
    "save throws": { save: () => { throw new Error("no"); } },
    "save hangs": { save: () => new Promise(() => {}) },
  };
  for (const [name, fault] of Object.entries(faults)) {
    await context.test(name, async (context) => {
      const store = { ...memory(), ...fault };
      const { time, issuer, verifier } = await following(context, { store, timeout: 0.05 });
      await time.pass(1);
      assert.ok(verifier.status.storeError instanceof Error);
      const text = issuer.token();
      issuer.publish(text);
      await settled();
      assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
      assert.equal(verifier.status.transport, "stream");
      store.save = async () => {};
      await time.pass(16);
      const isMended = name === "save fails" || name === "save throws";
      assert.equal(verifier.status.storeError === null, isMended, "what was not loaded stays so, and what hangs is not called again");
    });
  }
});

test("what is revoked is stored within a second, what is only signed again within 15, one save at a time and the newest last", async (context) => {
  let [saving, most] = [0, 0];
  const store = memory();
  const { save } = store;
  const slowly = (time) => async (bytes) => {
    saving += 1;
    most = Math.max(most, saving);
    await new Promise((resolve) => time.later(resolve, 1400));
    saving -= 1;
    await save(bytes);
  };
  const { time, issuer, verifier, given } = await following(context, ({ time }) => ({ store: Object.assign(store, { save: slowly(time) }) }));
  await time.pass(2);
  assert.equal(store.saves, 1);
  for (let at = 0; at < 100; at += 1) {
    issuer.publish();
    await time.pass(0.5);
  }
  assert.ok(store.saves >= 4 && store.saves <= 5, `${store.saves} saves in 50 s of heartbeats`);
  const exp = time.seconds() + 900;
  const texts = Array.from({ length: 40 }, (_, index) => issuer.token({ exp, jti: `${Math.floor(exp / 256)}.${index}` }));
  for (const text of texts) {
    issuer.publish(text);
    await time.pass(0.1);
  }
  await time.pass(4);
  assert.ok(store.saves <= 11, `${store.saves} saves`);
  assert.equal(most, 1);
  verifier.close();
  const again = await createVerifier({ ...given, store, fetch: offline });
  assert.deepEqual([again.status.entries, again.status.seq], [40, issuer.newest.seq]);
  again.close();
});

test("when a key has gone that signed what is stored, a list by another one is fetched and stored in its place", async (context) => {
  for (const follow of [true, false]) {
    await context.test(follow ? "following" : "refreshing", async (context) => {
      const store = memory();
      const { time, issuer, verifier, given } = await following(context, { store, follow });
      const next = keyOf(5, "revocations");
      await time.pass(20);
      issuer.more = { key: next };
      issuer.keys = keySet(tokenKey, listKey, next);
      for (const keys of [issuer.keys, keySet(tokenKey, next)]) {
        issuer.keys = keys;
        time.sleep(301); // keys are due
        issuer.publish(issuer.token());
        if (!follow) await verifier.refresh({ ifOlderThan: 0 });
        await beating(issuer, time, 60);
      }
      assert.deepEqual([verifier.status.keys, verifier.status.storeError], [[tokenKey.kid, next.kid], null]);
      verifier.close();
      await time.pass(1);
      const again = await createVerifier({ ...given, store, fetch: offline, follow: false });
      assert.deepEqual([again.status.storeError, again.status.keys, again.status.entries], [null, [tokenKey.kid, next.kid], 2]);
    });
  }
});

test("what was heard just before the end is stored, also while another save is under way, and a store that fails then is left", async (context) => {
  for (const delay of [0, 700]) {
    const store = memory();
    const { save } = store;
    const { time, issuer, verifier, given } = await following(context, ({ time }) => ({
      store: Object.assign(store, {
        save: async (bytes) => {
          if (delay > 0) await new Promise((resolve) => time.later(resolve, delay));
          await save(bytes);
        },
      }),
    }));
    await time.pass(0.5);
    const text = issuer.token();
    issuer.publish(text);
    await settled();
    verifier.close();
    await time.pass(2);
    assert.deepEqual([store.saves, time.timers], [2, 0]);
    const again = await createVerifier({ ...given, store, fetch: offline, follow: false });
    assert.equal(verdict(again, text), "ERR_TOKEN_REVOKED");
  }
  let calls = 0;
  const failing = { ...memory(), save: () => Promise.reject(new Error(`no ${(calls += 1)}`)) };
  const { time, verifier } = await following(context, { store: failing });
  await time.pass(1);
  verifier.close();
  await time.pass(100);
  assert.deepEqual([calls, time.timers], [2, 0]);
});

test("a save that takes too long is told of, and waited for: the next one cannot be overtaken by it", async (context) => {
  const store = memory();
  const { save } = store;
  const delays = [3500, 200];
  const ends = [];
  let saving = 0;
  const { time, issuer, verifier } = await following(context, ({ time }) => ({
    store: Object.assign(store, {
      save: async (bytes) => {
        assert.equal((saving += 1), 1);
        await new Promise((resolve) => time.later(resolve, delays.shift()));
        saving -= 1;
        ends.push(time.now() - NOW * 1000);
        await save(bytes);
      },
    }),
    timeout: 1,
  }));
  await time.pass(0.5);
  issuer.publish(issuer.token());
  await time.pass(2.5);
  assert.match(verifier.status.storeError.message, /no answer within 1 s/);
  await time.pass(2);
  assert.deepEqual([ends, verifier.status.storeError], [[3500, 3700], null]);
  const saved = unpacked(ISSUER, store.content);
  assert.equal(saved.deltas.length, 1);
  await time.pass(100);
  assert.equal(store.saves, 2, "what was late has been saved all the same");
});

test("while nothing can be saved nothing is tried, and it is saved as soon as it can be", async (context) => {
  const time = new VirtualTime(NOW).rules(context);
  const store = memory();
  const saver = new Saver({ issuer: ISSUER, store, timeoutMillis: 5000 });
  let [documents, calls] = [undefined, 0];
  saver.watches(() => {
    assert.ok((calls += 1) < 10, "it asks again and again");
    return documents;
  });
  saver.changed({ urgent: true });
  await time.pass(60);
  assert.equal(store.saves, 0);
  documents = { keys: new Uint8Array(), list: list(), deltas: [] };
  saver.changed({ urgent: false });
  await time.pass(0);
  assert.deepEqual([store.saves, saver.error], [1, null]);
});

test("keys are stored for a verifier that does without revocation, and given documents are not taken from a store", async (context) => {
  const { given, time } = await following(context, { follow: false });
  const store = memory();
  const first = await createVerifier({ ...given, revocations: null, store });
  await time.pass(1);
  first.close();
  const again = await createVerifier({ ...given, revocations: null, store, fetch: offline });
  assert.equal(verdict(again, token()), true);
  again.close();
  const own = await createVerifier({ ...given, revocations: list({ seq: 77 }), store, follow: false, fetch: offline });
  assert.equal(own.status.seq, 77);
});

test("a store makes no sense without anything to fetch, and must be one", async () => {
  const given = { issuer: ISSUER, audience: AUDIENCE };
  await assert.rejects(createVerifier({ ...given, keys: keySet(), revocations: null, store: memory() }), { code: "ERR_USAGE", message: /"store"/ });
  for (const store of [null, 7, {}, { load() {} }, { save() {} }]) await assert.rejects(createVerifier({ ...given, store }), { code: "ERR_USAGE", message: /"store"/ });
});

test("a file is replaced as a whole, for its owner only, and nothing else is left", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "countersign-store-"));
  context.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "state");
  const store = fileStore(path);
  assert.equal(await store.load(), undefined);
  for (const size of [100_000, 0, 5]) {
    const bytes = new Uint8Array(size).fill(7);
    await store.save(bytes);
    assert.deepEqual(await store.load(), bytes);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ["state"]);
  }
  await Promise.all(Array.from({ length: 20 }, (_, at) => store.save(new Uint8Array(1000).fill(at))));
  assert.equal(new Set(await readFile(path)).size, 1);
  assert.deepEqual(await readdir(folder), ["state"]);
  await writeFile(path, Buffer.alloc(33 * 1024 * 1024));
  await assert.rejects(store.load(), /longer than/);
  await assert.rejects(fileStore(folder).load());
  await mkdir(join(folder, "taken"));
  await assert.rejects(fileStore(join(folder, "taken")).save(Uint8Array.of(1)));
  assert.deepEqual((await readdir(folder)).sort(), ["state", "taken"]);
  await assert.rejects(fileStore(join(folder, "no", "where")).save(Uint8Array.of(1)), { code: "ENOENT" });
});

test("a verifier begins again from a file", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "countersign-store-"));
  context.after(() => rm(folder, { recursive: true }));
  const store = fileStore(join(folder, "state"));
  const { time, given } = await following(context, { store });
  await time.pass(0);
  for (let tries = 0; tries < 50_000 && (await readdir(folder)).join() !== "state"; tries += 1) await settled();
  const again = await createVerifier({ ...given, store, fetch: offline, follow: false });
  assert.equal(again.status.seq, 1);
});
