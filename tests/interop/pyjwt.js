/**
 * PyJWT in a virtual environment of its own, made once in the target folder.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const REQUIREMENT = "PyJWT[crypto]==2.15.1";
const TARGET = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../target", import.meta.url));
const SCRIPT = fileURLToPath(new URL("./verify.py", import.meta.url));
const run = promisify(execFile);

/** Returns what PyJWT makes of each token. */
export async function pyjwt(given) {
  const python = await environment();
  const child = spawn(python, [SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(given));
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  if (code !== 0) throw new Error(`verify.py ended with ${code}`);
  return JSON.parse(out);
}

/** The Python of the environment; it is made again unless a former run finished it for this very requirement. */
async function environment() {
  const folder = join(TARGET, "interop-venv");
  const done = join(folder, `${REQUIREMENT}.done`);
  const python = join(folder, "bin", "python");
  const there = await access(done).then(() => true, () => false);
  if (there) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(TARGET, { recursive: true });
  try {
    await run("python3", ["-m", "venv", folder]);
  } catch (cause) {
    throw new Error("no virtual environment could be made: apt-get install python3 python3-venv", { cause });
  }
  await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT]);
  await writeFile(done, "");
  return python;
}
