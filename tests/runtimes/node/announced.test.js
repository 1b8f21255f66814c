/** What a stream tells of and does not bring: it is asked for, from caches that are behind and issuers that are busy. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { settled } from "../virtual-time.js";
import { asked, beating, following, verdict } from "./follow.js";

/** A verifier that has a stream, on which no word of the first revocation came. */
async function unaware(context) {
  const made = await following(context);
  const { time, issuer } = made;
  await time.pass(1);
  const [text, { tell }] = [issuer.token(), issuer];
  issuer.tell = () => {};
  issuer.publish(text);
  issuer.tell = tell;
  asked(issuer);
  return { ...made, text };
}

test("a list that was told of is asked for again while a cache answers with the one before", async (context) => {
  const tellings = {
    "a delta that does not lead on": ({ issuer }) => issuer.publish(),
    "the number of a list": ({ issuer }) => issuer.tell("event: list\ndata: 2\n\n"),
  };
  for (const [name, tell] of Object.entries(tellings)) {
    await context.test(name, async (context) => {
      const { time, issuer, verifier, text } = await unaware(context);
      issuer.instead = { since: () => ({ status: 200, body: issuer.delta(1, 1) }), revocations: () => ({ status: 200, body: issuer.list(1) }) };
      tell({ issuer });
      await settled();
      assert.deepEqual([issuer.asked.length, verdict(verifier, text)], [1, true]);
      issuer.instead = {};
      await time.pass(3);
      assert.equal(issuer.asked.length, 1, "not at once: the cache would say the same");
      await time.pass(4);
      assert.deepEqual([verdict(verifier, text), verifier.status.transport], ["ERR_TOKEN_REVOKED", "stream"]);
    });
  }
});

test("a list that does not exist is asked for a few times each time it is told of, and no number is no list", async (context) => {
  const { time, issuer, verifier } = await following(context);
  await time.pass(1);
  asked(issuer);
  for (const number of ["9007199254740992", "1e400", "2.5", "x"]) issuer.tell(`event: list\ndata: ${number}\n\n`);
  await beating(issuer, time, 45);
  assert.deepEqual(asked(issuer), {});
  for (const number of [9007199254740991, 9007199254740990]) {
    issuer.tell(`event: list\ndata: ${number}\n\n`);
    await beating(issuer, time, 45);
    assert.deepEqual(asked(issuer), { revocations: 1, since: 3 });
  }
  assert.equal(verifier.status.transport, "stream");
});

test("an issuer that is busy is left in peace for as long as it asks for, whatever its stream tells of, and when that ends", async (context) => {
  const { time, issuer, verifier, text } = await unaware(context);
  const busy = () => ({ status: 503, headers: { "retry-after": "30" } });
  issuer.instead = { since: busy, revocations: busy, events: busy };
  for (let at = 0; at < 29; at += 1) {
    issuer.publish();
    issuer.tell(`event: list\ndata: ${issuer.newest.seq}\n\n`);
    if (at === 20) issuer.hangUp();
    await time.pass(1);
  }
  const { since, revocations } = asked(issuer);
  assert.deepEqual([since, revocations], [1, undefined]);
  delete issuer.instead.since;
  await time.pass(2);
  assert.deepEqual([asked(issuer).since, verdict(verifier, text)], [1, "ERR_TOKEN_REVOKED"]);
});
