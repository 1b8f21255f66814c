import assert from "node:assert/strict";
import { test } from "node:test";
import * as countersign from "countersign";
import { differences } from "../judge.js";
import { vectors } from "../vectors.js";

test("Node gives the expected verdict on every vector", async () => {
  const all = vectors();
  assert.ok(all.length > 100, `only ${all.length} vectors`);
  assert.deepEqual(await differences(countersign, all), []);
});

test("a vector with a wrong expectation is found", async () => {
  const [first] = vectors();
  const lines = await differences(countersign, [{ ...first, expect: { code: "ERR_TOKEN_REVOKED" } }]);
  assert.equal(lines.length, 1);
});
