/**
 * A real daemon for one test file: the binary of COUNTERSIGN_BIN on a port of the system's choice, with an empty
 * data directory and a client whose secret is known here. Nothing of it is left after `stop`.
 */

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const START_PATIENCE_MS = 30_000;
const READY = /^countersign is ready on (http:\/\/\S+)$/;

/** The binary to test: named by COUNTERSIGN_BIN, or what `cargo build --release` leaves. */
const binary = () => process.env.COUNTERSIGN_BIN ?? path.join(REPOSITORY, "target/release/countersign");

/** The origin the daemon says it listens on; fails with what it printed when it says none. */
async function originOf(child) {
  const printed = [];
  return new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${why}; it printed:\n${printed.join("\n")}`));
    const timer = setTimeout(() => fail("the daemon did not say where it listens"), START_PATIENCE_MS);
    child.once("error", reject);
    child.once("exit", (code) => fail(`the daemon ended with ${code}`));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        printed.push(line);
        const ready = READY.exec(line);
        if (ready === null) return;
        clearTimeout(timer);
        resolve(ready[1]);
      });
    }
  });
}

/**
 * A daemon that is ready.
 *
 * @param {Record<string, string>} [settings] more of its environment
 * @returns {Promise<{origin: string, clientId: string, secret: string, stop(): Promise<void>}>}
 */
export async function startDaemon(settings = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), "countersign-page-"));
  const secret = randomBytes(24).toString("base64url");
  const child = spawn(binary(), ["serve", "--listen", "127.0.0.1:0", "--data-dir", path.join(folder, "data")], {
    cwd: folder,
    env: { ...process.env, COUNTERSIGN_ADMIN_SECRET: secret, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const origin = await originOf(child);
    return { origin, clientId: "admin", secret, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
