import assert from "node:assert/strict";
import { test } from "node:test";
import * as countersign from "countersign";
import { differences } from "../judge.js";
import { count, vectors } from "../vectors.js";

test("Node gives the expected outcome on every vector", async (context) => {
  const all = vectors();
  context.diagnostic(`${count(all)} vectors`);
  assert.deepEqual(await differences(countersign, all), []);
});

test("a wrong expectation of each kind is found", async () => {
  const { verdicts, keysets, lists } = vectors();
  const wrong = ([{ cases, ...document }], expect) => [{ ...document, cases: [{ ...cases[0], expect }] }];
  const all = {
    verdicts: wrong(verdicts, { code: "ERR_TOKEN_REVOKED", reason: "index" }),
    keysets: wrong(keysets, { ok: true, kids: ["else"] }),
    lists: wrong(lists, { code: "ERR_REVLIST_INVALID", reason: "else" }),
  };
  assert.equal((await differences(countersign, all)).length, 3);
});
