const assert = require("node:assert/strict");
const { test } = require("node:test");

test("the package can be required from CommonJS", async () => {
  const { createVerifier, UsageError } = require("countersign");
  await assert.rejects(createVerifier(), UsageError);
});
