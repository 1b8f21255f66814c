/**
 * Python libraries in a virtual environment of their own, made once in the target folder. Test files that use it run one
 * after another: the first makes it.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const REQUIREMENTS = ["PyJWT[crypto]==2.15.1", "cwt==3.3.0", "Authlib==1.9.9", "requests==2.34.2"];
const TARGET = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../target", import.meta.url));
const run = promisify(execFile);

/** Returns what PyJWT makes of each token. */
export const pyjwt = (given) => python("pyjwt.py", given);

/** Returns what python-cwt makes of each status list. */
export const pythonCwt = (given) => python("cwt_status.py", given);

/** Returns what Authlib gets as an OAuth client. */
export const authlib = (given) => python("authlib_client.py", given);

/** Returns what the guide's own module makes of each token; `folder` holds it, and `env` is what it reads. */
export const guided = (given, folder, env) => python("guided.py", given, { ...env, PYTHONPATH: folder });

/** Returns what a script of this folder answers. */
async function python(script, given, env) {
  const options = { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } };
  const child = spawn(join(await environment("interop-venv", REQUIREMENTS), "python"), [fileURLToPath(new URL(script, import.meta.url))], options);
  child.stdin.end(JSON.stringify(given));
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
  return JSON.parse(out);
}

/** The folder of programs of an environment; it is made again unless a former run finished it for these very requirements. */
export async function environment(name, requirements) {
  const folder = join(TARGET, name);
  const done = join(folder, `${requirements.join(" ")}.done`);
  const programs = join(folder, "bin");
  const there = await access(done).then(() => true, () => false);
  if (there) return programs;
  await rm(folder, { recursive: true, force: true });
  await mkdir(TARGET, { recursive: true });
  try {
    await run("python3", ["-m", "venv", folder]);
  } catch (cause) {
    throw new Error("no virtual environment could be made: apt-get install python3 python3-venv", { cause });
  }
  await run(join(programs, "python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...requirements]);
  await writeFile(done, "");
  return programs;
}
