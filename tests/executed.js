/**
 * Documents that are executed: their files (```js file=NAME, ```py file=NAME) are written into an empty project that has the packed package
 * installed; their shell blocks (```sh run) run in order in one shell, and each line `# → text` must be found in what was
 * printed since the one before.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** The address that documents name; another one takes its place when they are executed. */
const ADDRESS = "http://127.0.0.1:8080";

/** Prints what is expected when it was printed since last time; fails and shows what was printed instead otherwise. */
const PRELUDE = `
exec 3>&1 >"$SAID"
expect() {
  if grep -qF -- "$1" "$SAID"; then echo "found: $1" >&3; : >"$SAID"; exec >>"$SAID"
  else { echo "expected: $1"; echo "printed:"; cat "$SAID"; } >&2; exit 1; fi
}
`;

/** A new folder with the packed package installed and the document's files in it. */
export async function project(document, address) {
  const folder = await mkdtemp(path.join(tmpdir(), "countersign-document-"));
  await installPackage(folder);
  for (const { file, text } of await blocks(document, address)) {
    if (file !== undefined) await writeFile(path.join(folder, file), text);
  }
  return folder;
}

/** Runs the document's shell blocks in `folder`; resolves to how many claims they make and how many were found true. */
export async function execute(document, address, folder, env) {
  const script = (await blocks(document, address)).filter((block) => block.run).map((block) => block.text).join("\n");
  const claims = script.match(/^# → .+$/gm)?.length ?? 0;
  // What is left running keeps its output to itself: the shell's own is waited for.
  const lines = script.replace(/ &$/gm, " 3>&- &").replace(/^# → (.+)$/gm, 'expect "$1"');
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", PRELUDE + lines], {
    cwd: folder,
    env: { ...process.env, ...env, SAID: path.join(folder, "said.txt") },
  });
  return { claims, found: stdout.match(/^found: /gm)?.length ?? 0 };
}

/** The text of one of the document's files. */
export async function fileOf(document, address, name) {
  const text = (await blocks(document, address)).find(({ file }) => file === name)?.text;
  if (text === undefined) throw new Error(`${document} has no file ${name}`);
  return text;
}

/** The fenced blocks of the document that are executed. */
async function blocks(document, address) {
  const text = await readFile(path.join(ROOT, document), "utf8");
  const fences = text.matchAll(/^```(?:sh|js|py) (run|file=(\S+))\n([\s\S]*?)^```$/gm);
  return Array.from(fences, ([, how, file, block]) => ({ run: how === "run", file, text: block.replaceAll(ADDRESS, address) }));
}

async function installPackage(folder) {
  const packed = await run("npm", ["pack", "--silent", "--pack-destination", folder, path.join(ROOT, "pkg")], { cwd: folder });
  await writeFile(path.join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run("npm", ["install", "--silent", "--offline", "--no-audit", "--no-fund", path.join(folder, packed.stdout.trim())], { cwd: folder });
}
