/**
 * What an operator is given: the static binary serves in a root that holds nothing else, as another user than root and
 * with everything but its data read-only; and systemd finds no fault with the unit and little that it leaves open.
 */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { chmod, chown, copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const DIST = process.env.COUNTERSIGN_DIST ?? fileURLToPath(new URL("../../target/dist/", import.meta.url));
/** The user that the image names. */
const NOBODY = 65532;
/** What systemd counts as open to attack, in tenths: 0 is nothing, 100 everything, a unit without settings has 96. */
const EXPOSURE = 15;

/** Calls `use` with a folder that is gone afterwards. */
async function within(use) {
  const folder = await mkdtemp(path.join(tmpdir(), "countersign-deploy-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("the folder has the binary and what runs it", async () => {
  const held = await readdir(DIST);
  for (const name of ["countersign", "countersign.service", "countersign.toml", "Dockerfile", "compose.yaml", "LICENSE", "ca-certificates.crt"]) {
    assert.ok(held.includes(name), `${name} is not in ${held}`);
  }
});

test("the binary serves in an empty root, as nobody, with only its data to write", { skip: process.getuid() !== 0 && "not run: chroot needs root" }, () =>
  within(async (root) => {
    await copyFile(path.join(DIST, "countersign"), path.join(root, "countersign"));
    await chmod(root, 0o755);
    await mkdir(path.join(root, "data"), { mode: 0o700 });
    await chown(path.join(root, "data"), NOBODY, NOBODY);
    const { daemon, ended } = chrooted(root, {});
    try {
      const address = await spoken(daemon.stdout, /ready on (http:\/\/\S+)/, ended);
      const ready = await fetch(`${address}/readyz`);
      assert.equal(ready.status, 200);
      const { keys } = await (await fetch(`${address}/.well-known/jwks.json`)).json();
      assert.equal(keys.filter(({ purpose }) => purpose === "revocations").length, 1);
    } finally {
      daemon.kill("SIGTERM");
    }
    assert.equal(await ended, 0);
    assert.deepEqual((await readdir(root)).sort(), ["countersign", "data"], "it wrote beside its data");
  }));

test("the key that the compose file tells to make is one that the user of the image opens", { skip: process.getuid() !== 0 && "not run: chroot needs root" }, () =>
  within(async (folder) => {
    const compose = await readFile(path.join(DIST, "compose.yaml"), "utf8");
    assert.doesNotMatch(compose, /\b(uid|gid|mode):/, "compose heeds none of these for a file");
    await copyFile(path.join(DIST, "countersign"), path.join(folder, "countersign"));
    const told = compose.match(/^# {3}(?:\.\/countersign init|sudo install) .+$/gm).map((line) => line.replace(/^# {3}(sudo )?/, ""));
    assert.equal(told.length, 2);
    for (const line of told) await run("sh", ["-c", line], { cwd: folder, env: { PATH: process.env.PATH } });
    const root = path.join(folder, "root");
    const secrets = path.join(root, "run", "secrets");
    await mkdir(secrets, { recursive: true });
    for (const open of [folder, root, path.join(root, "run"), secrets]) await chmod(open, 0o755);
    await copyFile(path.join(DIST, "countersign"), path.join(root, "countersign"));
    await mkdir(path.join(root, "data"), { mode: 0o700 });
    await chown(path.join(root, "data"), NOBODY, NOBODY);
    // As a mount would show it: with the owner and the mode that it has.
    const [, variable, inside] = compose.match(/^ +(COUNTERSIGN_MASTER_KEY_FILE): (\S+)$/m);
    const [, file] = compose.match(/^ {4}file: \.\/(\S+)/m);
    await rename(path.join(folder, file), path.join(root, inside));
    const { daemon, ended } = chrooted(root, { [variable]: inside });
    try {
      await spoken(daemon.stdout, /ready on (http:\/\/\S+)/, ended);
    } finally {
      daemon.kill("SIGTERM");
    }
    assert.equal(await ended, 0);
    assert.ok(!(await readdir(path.join(root, "data"))).includes("master.key"), "it made another key");
  }));

test("what the unit tells to do before the first start is what it starts on, wherever the settings say that it lies", async () => {
  const told = await readFile(path.join(DIST, "countersign.service"), "utf8");
  const [, state] = told.match(/^StateDirectory=(.+)$/m);
  const [, config] = told.match(/^ConfigurationDirectory=(.+)$/m);
  for (const chosen of ["data", "elsewhere"]) {
    await within(async (folder) => {
      const data = path.join(folder, chosen);
      const init = told.match(/^# +countersign (init .+)$/m)[1].replace(`--data-dir /var/lib/${state} `, `--data-dir ${data} `);
      const unit = told.replaceAll("/usr/local/bin/countersign", path.join(DIST, "countersign")).replaceAll(`/var/lib/${state}`, path.join(folder, "data"));
      const words = (line) => line.replaceAll(`/etc/${config}`, folder).split(" ");
      await run(path.join(DIST, "countersign"), words(init), { cwd: "/", env: {} });
      const key = await readFile(path.join(data, "master.key"), "utf8");
      const variables = unit.match(/^Environment=.+$/gm).flatMap((line) => line.replace("Environment=", "").split(" ").map((pair) => pair.split("=", 2)));
      const [program, ...serve] = words(unit.match(/^ExecStart=(.+)$/m)[1]);
      const daemon = spawn(program, serve, {
        cwd: "/",
        env: { ...Object.fromEntries(variables), COUNTERSIGN_LISTEN: "127.0.0.1:0" },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let log = "";
      daemon.stderr.setEncoding("utf8").on("data", (more) => (log += more));
      const ended = new Promise((resolve) => daemon.once("close", (code, signal) => resolve(code ?? signal)));
      try {
        await spoken(daemon.stdout, /ready on (http:\/\/\S+)/, ended);
      } finally {
        daemon.kill("SIGTERM");
      }
      assert.equal(await ended, 0, log);
      assert.doesNotMatch(log, /made a master key/);
      assert.equal(await readFile(path.join(data, "master.key"), "utf8"), key);
      assert.ok((await readdir(data)).includes("store"), "the store is elsewhere than the key");
    });
  }
});

test("systemd takes the unit, and it leaves little open", () =>
  within(async (folder) => {
    const unit = path.join(folder, "countersign.service");
    const text = await readFile(path.join(DIST, "countersign.service"), "utf8");
    await writeFile(unit, text.replaceAll("/usr/local/bin/countersign", path.join(DIST, "countersign")));
    const { stderr } = await run("systemd-analyze", ["verify", "--man=no", unit]);
    assert.doesNotMatch(stderr, /countersign\.service/, stderr);
    await run("systemd-analyze", ["security", "--offline=yes", "--no-pager", `--threshold=${EXPOSURE}`, unit]);
    await writeFile(unit, text.replace("ProtectSystem=strict", "ProtectSystem=no").replace("DynamicUser=yes", "").replace("CapabilityBoundingSet=", ""));
    await assert.rejects(run("systemd-analyze", ["security", "--offline=yes", "--no-pager", `--threshold=${EXPOSURE}`, unit]), "a unit that leaves more open was taken");
  }));

test("the authorities that go into the image are where the binary looks for them", async () => {
  const image = await readFile(path.join(DIST, "Dockerfile"), "utf8");
  const [, file] = image.match(/^COPY (\S+) \/etc\/ssl\/certs\/ca-certificates\.crt$/m);
  const authorities = await stat(path.join(DIST, file));
  assert.equal(authorities.mode & 0o444, 0o444, "another user than root reads them");
  assert.match(await readFile(path.join(DIST, file), "utf8"), /^-----BEGIN CERTIFICATE-----$/m);
});

test("image, compose file and unit name the same folder, user and health check", async () => {
  const [image, compose, unit] = await Promise.all(
    ["Dockerfile", "compose.yaml", "countersign.service"].map((name) => readFile(path.join(DIST, name), "utf8")),
  );
  assert.match(image, new RegExp(`^USER ${NOBODY}:${NOBODY}$`, "m"));
  assert.match(compose, /^ {4}read_only: true$/m);
  assert.match(compose, /data:\/data"/);
  assert.match(image, /COUNTERSIGN_DATA_DIR=\/data/);
  assert.match(image, new RegExp(`^COPY --chown=${NOBODY}:${NOBODY} volume/ /$`, "m"));
  assert.equal((await stat(path.join(DIST, "volume", "data"))).mode & 0o777, 0o700, "the image's volume has the mode of this folder");
  assert.match(unit, /^DynamicUser=yes$/m);
  const [, check] = image.match(/HEALTHCHECK .* CMD (\[.*\])$/m);
  const [program, ...words] = JSON.parse(check);
  assert.equal(program, "/countersign");
  await run(path.join(DIST, "countersign"), [...words, "--help"]);
});

const buildah = (await run("buildah", ["--version"]).catch(() => undefined)) !== undefined && process.getuid() === 0;
test("the image holds the binary and a folder of data that is nobody else's", { skip: !buildah && "not run: there is no buildah, or this is not root" }, () =>
  within(async (folder) => {
    const options = ["--root", path.join(folder, "storage"), "--runroot", path.join(folder, "run"), "--storage-driver", "vfs"];
    const made = async (...words) => (await run("buildah", [...options, ...words])).stdout.trim();
    await made("build", "--isolation", "chroot", "--format", "docker", "--tag", "countersign", DIST);
    const container = await made("from", "countersign");
    const root = await made("mount", container);
    const data = await stat(path.join(root, "data"));
    assert.deepEqual([data.mode & 0o777, data.uid, data.gid], [0o700, NOBODY, NOBODY]);
    const authorities = await readFile(path.join(root, "etc", "ssl", "certs", "ca-certificates.crt"), "utf8");
    assert.ok(authorities.includes("-----BEGIN CERTIFICATE-----"));
    const names = ["countersign", "data", "dev", "etc", "proc", "run", "sys"]; // those that a builder makes are empty
    assert.deepEqual((await readdir(root)).filter((name) => !names.includes(name)), []);
    const environment = ["--env", "COUNTERSIGN_LISTEN=127.0.0.1:0"];
    const daemon = spawn("buildah", [...options, "run", "--isolation", "chroot", ...environment, container, "--", "/countersign", "serve"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => daemon.once("exit", (code, signal) => resolve(code ?? signal)));
    try {
      const address = await spoken(daemon.stdout, /ready on (http:\/\/\S+)/, ended);
      assert.equal((await fetch(`${address}/readyz`)).status, 200);
    } finally {
      daemon.kill("SIGTERM");
    }
    await ended;
    await made("umount", container);
  }));

/** Starts the binary in `root` as the image does: as nobody, with its data in a folder of its own. */
function chrooted(root, variables) {
  const daemon = spawn("chroot", [`--userspec=${NOBODY}:${NOBODY}`, root, "/countersign", "serve"], {
    cwd: "/",
    env: { PATH: process.env.PATH, COUNTERSIGN_DATA_DIR: "/data", COUNTERSIGN_LISTEN: "127.0.0.1:0", ...variables },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { daemon, ended: new Promise((resolve) => daemon.once("exit", (code, signal) => resolve(code ?? signal))) };
}

/** Returns what `pattern` captures in what is printed; fails if the process ends first. */
async function spoken(stream, pattern, ended) {
  let text = "";
  stream.setEncoding("utf8");
  const found = new Promise((resolve) => {
    stream.on("data", (more) => {
      text += more;
      const match = pattern.exec(text);
      if (match !== null) resolve(match[1]);
    });
  });
  const code = await Promise.race([found, ended.then((code) => ({ code }))]);
  assert.equal(typeof code, "string", `the daemon ended with ${code.code}: ${text}`);
  return code;
}
