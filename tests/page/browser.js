/**
 * The console in a real Chromium, with everything on record that must not happen: errors, violations of the page's
 * policy, requests to anyone but the daemon.
 */

import assert from "node:assert/strict";
import { after } from "node:test";
import { chromium } from "playwright-core";
import { startDaemon } from "../daemon.js";

const CHROMIUM = process.env.COUNTERSIGN_CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"];
const PATIENCE_MS = 15_000;

/** Chromium, running. */
export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

/**
 * A daemon and a Chromium for the tests of one file, which end with them.
 *
 * @param {Record<string, string>} [settings] more of the daemon's environment
 */
export async function stage(settings) {
  const browser = await launch();
  after(() => browser.close());
  const daemon = await startDaemon(settings);
  after(() => daemon.stop());
  return { daemon, browser };
}

/** What Chromium itself writes when an answer is an error or does not come; the page shows these on its own. */
const FAILED_REQUEST = /^Failed to load resource: (?:the server responded with a status of (\d+)|net::(ERR_\w+))/;

/**
 * The console's page of this daemon, not signed in.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {{origin: string, clientId: string, secret: string}} daemon
 * @param {{expected?: string[], options?: object, fragment?: string}} [how] `expected`: statuses and network errors that the
 *   test provokes; `options`: of the browser context
 */
export const openConsole = (browser, daemon, how = {}) => openPage(browser, daemon, `/${how.fragment ?? ""}`, runs, how);

/** A page of this daemon, once `ready` says that it is. */
export async function openPage(browser, daemon, path, ready, { expected = [], options = {} } = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  const faults = [];
  const requests = [];
  context.on("page", (page) => watch(page, daemon, expected, faults));
  context.on("request", (request) => {
    requests.push(request);
    const { origin, protocol } = new URL(request.url());
    if (origin !== daemon.origin && protocol !== "data:") faults.push(`request to ${request.url()}`);
  });
  await context.exposeFunction("reportViolation", (text) => faults.push(`policy: ${text}`));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      globalThis.reportViolation(`${violatedDirective} ${blockedURI}`);
    });
  });
  const page = await context.newPage();
  await page.goto(daemon.origin + path);
  await ready(page);
  return {
    context,
    page,
    requests,
    /** The page and its further tabs are closed, and nothing happened in any of them that must not. */
    async close() {
      await context.close();
      assert.deepEqual(faults, []);
    },
  };
}

/** The scripts of the page run, and nothing is under way. */
const runs = (page) => page.locator("#sign-in:not([aria-disabled])").waitFor({ state: "attached" });

/** Errors and warnings of the page are faults, but for requests that fail as the test expects. */
function watch(page, daemon, expected, faults) {
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    const failed = FAILED_REQUEST.exec(message.text());
    if (failed === null || !expected.includes(failed[1] ?? failed[2])) faults.push(`console: ${message.text()}`);
  });
}

/** The tab that a press on this element opens. */
export async function tabFrom(page, id) {
  const [tab] = await Promise.all([page.context().waitForEvent("page"), page.click(`#${id}`)]);
  await runs(tab);
  return tab;
}

/** The verifier of the page hears of each list by the issuer's stream. */
export const streams = (page) => page.locator('#way[data-way="stream"]').waitFor();

/** The fragment that `cargo xtask up` prints. */
export const credentialsFragment = ({ clientId, secret }) =>
  `#${new URLSearchParams({ client_id: clientId, client_secret: secret })}`;

/** The console, signed in through the fragment. */
export async function openSignedIn(browser, daemon, how = {}) {
  const opened = await openConsole(browser, daemon, { ...how, fragment: credentialsFragment(daemon) });
  await opened.page.locator("#client-line").waitFor({ state: "visible" });
  return opened;
}

/** The verdict's title becomes `title` and its code `code`. */
export async function verdictIs(page, title, code = "") {
  await page.waitForFunction(
    ([title, code]) => document.getElementById("verdict-title").textContent === title
      && document.getElementById("verdict-code").textContent === code,
    [title, code],
  ).catch(async () => {
    const shown = await page.locator("#verdict .verdict-words").innerText();
    assert.fail(`expected the verdict ${title} ${code}, but the page shows: ${shown}`);
  });
}

/** A pair has been minted and its access token accepted. */
export async function mint(page) {
  await page.click("#mint");
  await verdictIs(page, "Accepted");
  await page.locator("#timing").waitFor({ state: "visible" });
  await idle(page);
}

/** The control can be pressed. */
export const available = (page, id) => page.locator(`#${id}:not([aria-disabled])`).waitFor();

/** No request of the page's own is under way. */
export const idle = (page) => available(page, "fetch-list");

/** Tab has been pressed until the element has the focus, as a person without a mouse would. */
export async function tabTo(page, id) {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate(() => document.activeElement?.id)) === id) return;
  }
  assert.fail(`Tab does not reach #${id}`);
}
