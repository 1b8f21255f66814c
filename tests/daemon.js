/**
 * The real daemon for one test file: the binary of COUNTERSIGN_BIN, or what `cargo build --release` leaves, on a port of
 * the system's choice, with an empty data directory and a client whose secret is known here.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describedFetch } from "./openapi/document.js";

const BUILT = fileURLToPath(new URL("../target/release/countersign", import.meta.url));
const READY = /^countersign is ready on (http:\/\/\S+)$/;
const FORM = "application/x-www-form-urlencoded";
const PATIENCE_MS = 30_000;

/**
 * Starts a daemon and resolves when it is ready. Nothing of it is left after `stop`.
 *
 * `end` ends its process and leaves its data, in the folder `data`; `again` then starts one on the same data and port.
 *
 * @param {Record<string, string>} [settings] more of its environment
 */
export async function startDaemon(settings = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), "countersign-daemon-"));
  const data = path.join(folder, "data");
  const secret = randomBytes(24).toString("base64url");
  const own = { COUNTERSIGN_DATA_DIR: data, COUNTERSIGN_ADMIN_SECRET: secret, COUNTERSIGN_LOG_LEVEL: "warn", ...settings };
  let running = launch(folder, { COUNTERSIGN_LISTEN: "127.0.0.1:0", ...own });
  const stop = async () => {
    await running.end("SIGTERM");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const origin = await running.ready;
    const again = async () => {
      running = launch(folder, { COUNTERSIGN_LISTEN: new URL(origin).host, ...own });
      await running.ready;
    };
    const end = (signal) => running.end(signal);
    return { origin, clientId: "admin", secret, data, stop, end, again, ...requests(origin, secret) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A process of the daemon, and how it is ended. */
function launch(folder, settings) {
  const child = spawn(process.env.COUNTERSIGN_BIN ?? BUILT, ["serve"], {
    cwd: folder,
    env: { ...process.env, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close").catch(() => undefined); // a binary that cannot be started is told by `ready`
  const end = async (signal) => {
    child.kill(signal);
    await ended;
  };
  return { ready: ready(child), end };
}

/** The origin the daemon says it is ready on; fails with what it printed when it says none. */
function ready(child) {
  const printed = [];
  return new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${why}; it printed:\n${printed.join("\n")}`));
    const timer = setTimeout(() => fail("the daemon did not get ready"), PATIENCE_MS);
    child.once("error", reject);
    child.once("exit", (code) => fail(`the daemon ended with ${code}`));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        printed.push(line);
        const origin = READY.exec(line)?.[1];
        if (origin === undefined) return;
        clearTimeout(timer);
        resolve(origin);
      });
    }
  });
}

/** What backends ask of it. Each answer is one that docs/openapi.json describes. */
function requests(origin, secret) {
  const post = async (where, type, body) => {
    const headers = { authorization: `Basic ${btoa(`admin:${secret}`)}`, "content-type": type };
    const response = await describedFetch(origin + where, { method: "POST", headers, body });
    if (response.status !== 200) throw new Error(`${where}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return {
    /** Mints a pair, for `user-1` and the audience `api` unless the request says otherwise. */
    mint: (request) => post("/v1/tokens", "application/json", JSON.stringify({ sub: "user-1", aud: "api", ...request })),
    /** Revokes a token, or with a refresh token its session. */
    revoke: (token) => post("/oauth/revoke", FORM, new URLSearchParams({ token })),
    /** Revokes by name: `{ subject }`, `{ session }`, `{ client }`, `{ key }` or `{ all: true }`. */
    revokeBy: (target) => post("/v1/revocations", "application/json", JSON.stringify(target)),
    /** The next pair for a refresh token. */
    refresh: (token) => post("/oauth/token", FORM, new URLSearchParams({ grant_type: "refresh_token", refresh_token: token })),
  };
}
