/**
 * The three programs that verify the tokens of one issuer: a page, a Node process, a worker. Each judges by itself and is
 * asked the same: `verdicts`, `refused`, `watch`, `seen` and `status` of judge.js.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { launched, site } from "../runtimes/chromium/browser.js";
import { running } from "../runtimes/workerd/worker.js";
import { judge } from "./judge.js";

/** Requests to a worker in a second, about. */
const WORKER_PAUSE_MS = 15;

/** Starts all three; `close` ends them. */
export async function programs(issuer) {
  const started = await Promise.all([page(issuer), processOf(issuer), worker(issuer)]);
  return { all: started, close: () => Promise.all(started.map(({ close }) => close())) };
}

/** How a verifier is created that goes on by itself: it asks often, so that the tests need not wait for long. */
const settings = (issuer) => ({ issuer, audience: "api", pollInterval: 1 });

/** A page of another site than the issuer's. */
async function page(issuer) {
  const [browser, served] = await Promise.all([launched(), site()]);
  const tab = await browser.newPage();
  await tab.goto(served.url);
  await tab.evaluate(`(async () => {
    const { createVerifier } = await import("countersign");
    globalThis.judging = (${judge})(await createVerifier(${JSON.stringify(settings(issuer))}));
  })()`);
  const ask = (name) => (given) => tab.evaluate(([name, given]) => globalThis.judging[name](given), [name, given]);
  const close = async () => {
    await browser.close();
    await served.close();
  };
  return { name: "page", ...asked(ask), close };
}

async function processOf(issuer) {
  const child = fork(fileURLToPath(new URL("./process.js", import.meta.url)), [JSON.stringify(settings(issuer))]);
  const ended = once(child, "exit");
  const waiting = new Map();
  child.on("message", ({ id, answer }) => waiting.get(id)?.(answer));
  const ready = new Promise((resolve) => waiting.set(0, resolve));
  await Promise.race([ready, ended.then(() => Promise.reject(new Error("the process ended at once")))]);
  const ask = (name) => (given) => new Promise((resolve) => {
    const id = waiting.size;
    waiting.set(id, resolve);
    child.send({ id, name, given });
  });
  const close = async () => {
    child.disconnect(); // following keeps no process alive
    await ended;
  };
  return { name: "process", ...asked(ask), close };
}

async function worker(issuer) {
  const { url, close } = await running("../../following/guarding", { env: { ISSUER: issuer } });
  const ask = async (tokens) => (await fetch(url, { method: "POST", body: JSON.stringify(tokens) })).json();
  const verdicts = async (tokens) => (await ask(tokens)).found;
  let watched = [];
  const watch = (tokens) => {
    const mine = tokens.map(() => ({ counts: {}, faults: [] }));
    watched = mine;
    void (async () => {
      while (watched === mine) {
        const before = Math.floor(Date.now() / 1000);
        const { found, status } = await ask(tokens).catch(() => ({ found: [] })); // closed meanwhile
        const after = Math.floor(Date.now() / 1000);
        found.forEach((verdict, at) => tally(mine[at], verdict, { before, after, ...status }));
        await pause(WORKER_PAUSE_MS);
      }
    })();
  };
  const refused = async (tokens) => {
    for (;;) {
      const found = await verdicts(tokens);
      if (!found.includes("accepted")) return { found, at: Date.now() };
      await pause(WORKER_PAUSE_MS);
    }
  };
  const seen = async () => watched.map((tally) => {
    const { counts, faults } = tally;
    Object.assign(tally, { counts: {}, faults: [] });
    return { counts, faults };
  });
  const stop = async () => {
    watched = [];
    await close();
  };
  return { name: "worker", verdicts, refused, watch, seen, status: async () => (await ask([])).status, close: stop };
}

/** As judge.js does it, for what the worker said. */
function tally({ counts, faults }, verdict, { before, after, usableUntil }) {
  counts[verdict] = (counts[verdict] ?? 0) + 1;
  if (verdict === "accepted" && before >= usableUntil) faults.push(`accepted at ${before}, usable until ${usableUntil}`);
  if (verdict === "ERR_STATUS_STALE" && after < usableUntil) faults.push(`stale at ${after}, usable until ${usableUntil}`);
}

const asked = (ask) => Object.fromEntries(["verdicts", "refused", "watch", "seen", "status"].map((name) => [name, ask(name)]));
