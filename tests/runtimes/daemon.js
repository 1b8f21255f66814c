/**
 * Runs the real daemon, which COUNTERSIGN_BIN names, on a free port with a store of its own.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const ADMIN_SECRET = "tests-only-tests-only-tests-only-tests-only";

/**
 * Starts a daemon and resolves when it is ready.
 *
 * @param {Record<string, string>} [settings] environment variables on top of those that every test needs
 */
export async function daemon(settings = {}) {
  const binary = process.env.COUNTERSIGN_BIN;
  if (!binary) throw new Error("COUNTERSIGN_BIN must name the daemon: cargo build --release, then COUNTERSIGN_BIN=target/release/countersign");
  const folder = await mkdtemp(join(tmpdir(), "countersign-daemon-"));
  const env = {
    ...process.env,
    COUNTERSIGN_LISTEN: "127.0.0.1:0",
    COUNTERSIGN_DATA_DIR: join(folder, "data"),
    COUNTERSIGN_ADMIN_SECRET: ADMIN_SECRET,
    COUNTERSIGN_LOG_LEVEL: "warn",
    ...settings,
  };
  const child = spawn(binary, ["serve"], { env, cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const url = await readiness(child);
  return {
    url,
    /** Mints a pair for `user-1`, for the audience `api`. */
    mint: (request) => post(`${url}/v1/tokens`, "application/json", JSON.stringify({ sub: "user-1", aud: "api", ...request })),
    revoke: (token) => post(`${url}/oauth/revoke`, "application/x-www-form-urlencoded", new URLSearchParams({ token })),
    close: async () => {
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      await rm(folder, { recursive: true });
    },
  };
}

async function readiness(child) {
  const lines = createInterface({ input: child.stdout });
  const told = (async () => {
    for await (const line of lines) {
      const url = /^countersign is ready on (http:\S+)$/.exec(line)?.[1];
      if (url !== undefined) return url;
    }
    throw new Error("the daemon ended before it was ready");
  })();
  const failed = once(child, "error").then(([cause]) => {
    throw new Error("COUNTERSIGN_BIN could not be started", { cause });
  });
  return Promise.race([told, failed]);
}

async function post(url, type, body) {
  const authorization = `Basic ${btoa(`admin:${ADMIN_SECRET}`)}`;
  const response = await fetch(url, { method: "POST", headers: { authorization, "content-type": type }, body });
  if (response.status !== 200) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}
