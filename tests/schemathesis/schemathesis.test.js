/**
 * Requests that Schemathesis makes of the document, right ones and wrong ones, against the real daemon: no 5xx, and no answer
 * that the document does not have. COUNTERSIGN_API_CASES is how many requests it sends, about, and COUNTERSIGN_API_SEED what
 * they are made of: the same ones each time unless it is set.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { environment } from "../interop/python.js";
import { startDaemon } from "../daemon.js";

const CASES = Number(process.env.COUNTERSIGN_API_CASES ?? 1_000);
const SEED = process.env.COUNTERSIGN_API_SEED ?? "1";
// Both by version: how requests are made is Hypothesis' part.
const REQUIREMENTS = ["schemathesis==4.32.5", "hypothesis==6.170.15"];
const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const USER = { user_name: "schemathesis", password: "the horse that staples batteries" };

let daemon;
before(async () => {
  daemon = await startDaemon({
    COUNTERSIGN_USERS_ENABLED: "true",
    // Whoever makes thousands of wrong requests would be told little else than to come back later.
    COUNTERSIGN_RATE_LIMITS_FAILURES_PER_MINUTE: "0",
    COUNTERSIGN_RATE_LIMITS_ADDRESS_FAILURES_PER_MINUTE: "0",
  });
});
after(() => daemon.stop());

test(`about ${CASES} requests are answered as described`, async (t) => {
  const made = await fetch(`${daemon.origin}/v1/users`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`admin:${daemon.secret}`)}`, "content-type": "application/json" },
    body: JSON.stringify(USER),
  });
  assert.equal(made.status, 201, await made.text());
  const api = await (await fetch(`${daemon.origin}/openapi.json`)).json();
  const operations = Object.values(api.paths).flatMap((item) => Object.keys(item)).filter((name) => !name.startsWith("x-")).length;
  const { code, said } = await schemathesis(["--phases", "examples,fuzzing", "--seed", SEED, "--max-examples", `${Math.ceil(CASES / operations)}`]);
  t.diagnostic(said.split("\n").filter((line) => /generated|passed|skipped|seed/i.test(line)).join("\n"));
  assert.equal(code, 0, said);
});

/** Runs it over the whole document, and resolves with how it ended and what it said. */
async function schemathesis(options) {
  const programs = await environment("schemathesis-venv", REQUIREMENTS);
  const child = spawn(`${programs}/st`, ["--config-file", `${FOLDER}/schemathesis.toml`, "run", `${daemon.origin}/openapi.json`, ...options], {
    env: {
      ...process.env,
      HYPOTHESIS_STORAGE_DIRECTORY: `${programs}/../hypothesis`,
      SCHEMATHESIS_FOLDER: FOLDER,
      COUNTERSIGN_ADMIN_SECRET: daemon.secret,
      COUNTERSIGN_USER: USER.user_name,
      COUNTERSIGN_USER_PASSWORD: USER.password,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  return { code, said };
}
