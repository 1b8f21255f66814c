/**
 * The README, executed. Its files (```js file=NAME) are written into an empty project that has the packed package
 * installed; its shell blocks (```sh run) run in order against a real daemon, and each line `# → text` must be found in
 * what was printed since the one before. The two modules are then used as their sections say.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { startDaemon } from "../daemon.js";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ADDRESS = "http://127.0.0.1:8080";

let daemon;
let project;

before(async () => {
  daemon = await startDaemon();
  project = await mkdtemp(path.join(tmpdir(), "countersign-readme-"));
  await installPackage(project);
  for (const block of await blocks()) {
    if (block.file !== undefined) await writeFile(path.join(project, block.file), block.text);
  }
});

after(async () => {
  await daemon?.stop();
  if (project !== undefined) await rm(project, { recursive: true, force: true });
});

test("the shell blocks do what the README says", async () => {
  const script = (await blocks()).filter((block) => block.run).map((block) => block.text).join("\n");
  const expectations = script.match(/^# → .+$/gm) ?? [];
  assert.ok(expectations.length >= 6, "the README makes claims to check");
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", PRELUDE + script.replace(/^# → (.+)$/gm, 'expect "$1"')], {
    cwd: project,
    env: { ...process.env, CLIENT: `${daemon.clientId}:${daemon.secret}`, SAID: path.join(project, "said.txt") },
  });
  assert.equal(stdout.match(/^found: /gm)?.length, expectations.length);
});

test("the frontend's module tells who a token speaks of, and why not, and hears of a revocation by itself", async () => {
  const { whoIs } = await import(pathToFileURL(path.join(project, "frontend.mjs")));
  const { access_token: token } = await daemon.mint({ sub: "user-4" });
  assert.equal(whoIs(token), "user-4");
  assert.equal(whoIs(`${token}x`), "ERR_JWS_INVALID");
  await daemon.revoke(token);
  const deadline = Date.now() + 10_000;
  while (whoIs(token) === "user-4" && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(whoIs(token), "ERR_TOKEN_REVOKED");
});

test("the edge worker answers 200, 401 and 403", async () => {
  const { default: worker } = await import(pathToFileURL(path.join(project, "worker.mjs")));
  const ask = async (headers) => {
    const response = await worker.fetch(new Request("https://edge.example/", { headers }), { ISSUER: daemon.origin });
    return { status: response.status, challenge: response.headers.get("WWW-Authenticate"), text: await response.text() };
  };
  const { access_token: reader } = await daemon.mint({ sub: "user-5", scope: "read" });
  const { access_token: writer } = await daemon.mint({ sub: "user-5", scope: "write" });
  assert.deepEqual(await ask({ Authorization: `Bearer ${reader}` }), { status: 200, challenge: null, text: '{"hello":"user-5"}' });
  assert.equal((await ask({})).status, 401);
  assert.match((await ask({ Authorization: "Bearer x" })).challenge, /^Bearer .*error="invalid_token"/);
  assert.equal((await ask({ Authorization: `Bearer ${writer}` })).status, 403);
});

/** Prints what is expected when it was printed since last time; fails and shows what was printed instead otherwise. */
const PRELUDE = `
exec 3>&1 >"$SAID"
expect() {
  if grep -qF -- "$1" "$SAID"; then echo "found: $1" >&3; : >"$SAID"; exec >>"$SAID"
  else { echo "expected: $1"; echo "printed:"; cat "$SAID"; } >&2; exit 1; fi
}
`;

/** The fenced blocks of the README that are executed, with the daemon's real address. */
async function blocks() {
  const readme = await readFile(path.join(ROOT, "README.md"), "utf8");
  const fences = readme.matchAll(/^```(?:sh|js) (run|file=(\S+))\n([\s\S]*?)^```$/gm);
  return Array.from(fences, ([, how, file, text]) => ({ run: how === "run", file, text: text.replaceAll(ADDRESS, daemon.origin) }));
}

async function installPackage(folder) {
  const packed = await run("npm", ["pack", "--silent", "--pack-destination", folder, path.join(ROOT, "pkg")], { cwd: folder });
  await writeFile(path.join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run("npm", ["install", "--silent", "--offline", "--no-audit", "--no-fund", path.join(folder, packed.stdout.trim())], { cwd: folder });
}
