/**
 * Real processes: a daemon, and a page in Chromium, a Node process and a worker in workerd that verify its tokens. What is
 * revoked each of them refuses by itself; without the daemon they go on until their list ends, and then refuse.
 *
 * How long a refusal took is printed and not asserted: this machine may be busy. The bound is generous.
 */
import assert from "node:assert/strict";
import { cp, rm } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startDaemon } from "../daemon.js";
import { programs } from "./programs.js";

const BOUND_MS = 20_000;
const REVOKED = "ERR_TOKEN_REVOKED";
const STALE = "ERR_STATUS_STALE";
/** The shortest life that a list may have. */
const SHORT_LIVED = { COUNTERSIGN_LIST_TTL_SECONDS: "10", COUNTERSIGN_LIST_INTERVAL_SECONDS: "5" };

/** A daemon and the three programs, for all tests of one `describe`. */
function world(settings) {
  const one = {};
  before(async () => {
    one.daemon = await startDaemon(settings);
    one.three = await programs(one.daemon.origin);
  });
  after(async () => {
    await one.three?.close();
    await one.daemon?.stop();
  });
  return one;
}

/** What each of the three says of each token. */
const verdicts = async ({ all }, tokens) => Object.fromEntries(await Promise.all(all.map(async ({ name, verdicts: ask }) => [name, await ask(tokens)])));
const eachOf = ({ all }, value) => Object.fromEntries(all.map(({ name }) => [name, value]));

/** All of the three give these verdicts. */
const say = async (three, tokens, verdict) => assert.deepEqual(await verdicts(three, tokens), eachOf(three, tokens.map(() => verdict)));

/** Rejects when this takes longer than the bound. */
async function within(promise, what) {
  const controller = new AbortController();
  const late = pause(BOUND_MS, undefined, { signal: controller.signal, ref: false }).then(() => assert.fail(`not within ${BOUND_MS} ms: ${what}`), () => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    controller.abort();
  }
}

/** Asks again until it holds, within the bound. */
async function until(holds, what) {
  const deadline = Date.now() + BOUND_MS;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `not within ${BOUND_MS} ms: ${what}`);
    await pause(20);
  }
}

/** Each of the three refuses these tokens as revoked, by itself; how long after `act` was answered is printed. */
async function refusedAfter(context, three, tokens, act) {
  const refusing = three.all.map(({ name, refused }) => within(refused(tokens), `${name} refuses`));
  await act();
  const answered = Date.now();
  const took = [];
  for (const [at, { name }] of three.all.entries()) {
    const refusal = await refusing[at];
    assert.deepEqual(refusal.found, tokens.map(() => REVOKED), name);
    took.push(`${name} ${Math.max(0, refusal.at - answered)} ms`);
  }
  context.diagnostic(`refused after the answer: ${took.join(", ")}`);
}

/** A new pair; of the options the members of the request. */
const access = async (daemon, request) => (await daemon.mint(request)).access_token;

describe("with the daemon there", () => {
  const one = world();

  test("one token, one session, one subject: what is revoked is refused everywhere, and nothing else", async (context) => {
    const { daemon, three } = one;
    const kept = await access(daemon, { sub: "kept" });
    const single = await daemon.mint({ sub: "single" });
    const session = await daemon.mint({ sub: "shared" });
    const next = await daemon.refresh(session.refresh_token);
    const sibling = await access(daemon, { sub: "shared" });
    const subject = [await access(daemon, { sub: "gone" }), await access(daemon, { sub: "gone" })];
    await say(three, [kept, single.access_token, session.access_token, next.access_token, sibling, ...subject], "accepted");

    await refusedAfter(context, three, [single.access_token], () => daemon.revoke(single.access_token));
    const renewed = await daemon.refresh(single.refresh_token);
    await say(three, [kept, renewed.access_token, session.access_token, next.access_token, sibling, ...subject], "accepted");

    await refusedAfter(context, three, [session.access_token, next.access_token], () => daemon.revoke(next.refresh_token));
    await say(three, [kept, renewed.access_token, sibling, ...subject], "accepted");

    await refusedAfter(context, three, subject, () => daemon.revokeBy({ subject: "gone" }));
    await say(three, [kept, renewed.access_token, sibling, await access(daemon, { sub: "gone" })], "accepted");
  });

  test("a refresh token that is used again ends its session everywhere", async (context) => {
    const { daemon, three } = one;
    const kept = await access(daemon, {});
    const first = await daemon.mint({});
    const second = await daemon.refresh(first.refresh_token);
    const third = await daemon.refresh(second.refresh_token);
    const tokens = [first, second, third].map((pair) => pair.access_token);
    await say(three, [kept, ...tokens], "accepted");
    await refusedAfter(context, three, tokens, () => assert.rejects(daemon.refresh(first.refresh_token), /invalid_grant/));
    await say(three, [kept], "accepted");
  });

  test("a client, and then everything: what was issued is refused everywhere, what is issued after holds", async (context) => {
    const { daemon, three } = one;
    for (const target of [{ client: "admin" }, { all: true }]) {
      const tokens = [await access(daemon, { sub: "a" }), await access(daemon, { sub: "b" })];
      await say(three, tokens, "accepted");
      await refusedAfter(context, three, tokens, () => daemon.revokeBy(target));
      await say(three, [await access(daemon, {})], "accepted");
    }
  });

  test("a daemon put back to yesterday's copy of its data brings nothing revoked back to life", async (context) => {
    const { daemon, three } = one;
    const held = await access(daemon, {});
    await daemon.end("SIGTERM");
    const copy = `${daemon.data}-of-yesterday`;
    await cp(daemon.data, copy, { recursive: true, preserveTimestamps: true });
    await daemon.again();
    const pairs = [await daemon.mint({}), await daemon.mint({ sub: "gone" })];
    const tokens = pairs.map((pair) => pair.access_token);
    await until(async () => Object.values(await verdicts(three, [held, ...tokens])).flat().every((verdict) => verdict === "accepted"), "they hold");
    await refusedAfter(context, three, tokens, async () => {
      await daemon.revoke(tokens[0]);
      await daemon.revokeBy({ subject: "gone" });
    });
    await daemon.end("SIGTERM");
    const lists = await Promise.all(three.all.map(async ({ status }) => (await status()).seq));
    await rm(daemon.data, { recursive: true });
    await cp(copy, daemon.data, { recursive: true, preserveTimestamps: true });
    for (const { watch } of three.all) await watch(tokens);
    await daemon.again();
    const newer = async () => (await Promise.all(three.all.map(async ({ status }, at) => (await status()).seq > lists[at]))).every(Boolean);
    await until(newer, "each holds a list of the daemon with the old data");
    await say(three, tokens, REVOKED);
    for (const { name, seen } of three.all) {
      for (const { counts } of await seen()) assert.deepEqual(Object.keys(counts), [REVOKED], name);
    }
    await say(three, [await access(daemon, {})], "accepted");
  });
});

function add(total, { counts, faults }) {
  for (const [verdict, count] of Object.entries(counts)) total.counts[verdict] = (total.counts[verdict] ?? 0) + count;
  total.faults.push(...faults);
}

describe("without the daemon", () => {
  const one = world(SHORT_LIVED);

  for (const signal of ["SIGTERM", "SIGKILL"]) {
    test(`after ${signal} all go on verifying until their list ends, refuse then, and recover with the daemon`, async (context) => {
      const { daemon, three } = one;
      const good = await access(daemon, {});
      const bad = await access(daemon, {});
      await refusedAfter(context, three, [bad], () => daemon.revoke(bad));
      await say(three, [good], "accepted");
      await daemon.end(signal);
      for (const { watch } of three.all) await watch([good, bad]);
      const isStale = async () => Object.values(await verdicts(three, [good])).flat().every((verdict) => verdict === STALE);
      await until(isStale, "every list has ended");
      const totals = three.all.map(() => [{ counts: {}, faults: [] }, { counts: {}, faults: [] }]);
      const allSeen = async () => {
        for (const [at, { seen }] of three.all.entries()) (await seen()).forEach((more, which) => add(totals[at][which], more));
        return totals.every(([ofGood]) => STALE in ofGood.counts);
      };
      await until(allSeen, "each has met the end of its list while it went on verifying");
      for (const [at, { name }] of three.all.entries()) {
        const [ofGood, ofBad] = totals[at];
        context.diagnostic(`${name} without the daemon: ${JSON.stringify(ofGood.counts)}`);
        assert.deepEqual([...ofGood.faults, ...ofBad.faults], [], name);
        assert.deepEqual(Object.keys(ofGood.counts).sort(), [STALE, "accepted"].sort(), name);
        assert.ok(ofGood.counts.accepted >= 100, `${name} verified ${ofGood.counts.accepted} times`);
        assert.ok(!("accepted" in ofBad.counts), `${name} accepted what was revoked`);
      }
      await daemon.again();
      const back = Date.now();
      const recovered = three.all.map(({ name, verdicts: ask }) => until(async () => (await ask([good]))[0] === "accepted", `${name} recovers`)
        .then(() => `${name} ${Date.now() - back} ms`));
      context.diagnostic(`recovered after the daemon: ${(await Promise.all(recovered)).join(", ")}`);
      await say(three, [bad], REVOKED);
      for (const { name, seen } of three.all) assert.ok(!("accepted" in (await seen())[1].counts), `${name} accepted what was revoked`);
    });
  }
});
