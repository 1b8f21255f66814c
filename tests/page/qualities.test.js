/** What holds for the console whatever is done with it: it can be used by all, on any screen, and lets in nothing foreign. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { credentialsFragment, mint, openConsole, openSignedIn, stage, tabTo, verdictIs } from "./browser.js";
import { startDaemon } from "../daemon.js";

const { daemon, browser } = await stage();

const text = (page, id) => page.locator(`#${id}`).innerText();

test("the page loads one build of the verifier, and both are served", async () => {
  const { requests, close } = await openConsole(browser, daemon);
  const modules = requests.map((request) => new URL(request.url()).pathname).filter((path) => path.endsWith(".wasm"));
  assert.deepEqual([...new Set(modules)], ["/pkg/wasm/verifier_simd_bg.wasm"]);
  for (const name of ["verifier_bg.wasm", "verifier_simd_bg.wasm"]) {
    const { status, headers } = await fetch(`${daemon.origin}/pkg/wasm/${name}`);
    assert.deepEqual([status, headers.get("content-type")], [200, "application/wasm"], name);
  }
  await close();
});

test("every control has a name, verdict and log are announced, and each focus is seen", async () => {
  const { page, close } = await openSignedIn(browser, daemon);
  await mint(page);
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
  const nameless = await page.evaluate(() => [...document.querySelectorAll("input, select, textarea, button, progress")]
    .filter((control) => ![...(control.labels ?? [])].some((label) => label.textContent.trim() !== "")
      && control.textContent.trim() === "" && !control.getAttribute("aria-label"))
    .map((control) => control.id));
  assert.deepEqual(nameless, []);
  assert.equal(await page.getAttribute("#verdict .verdict-words", "aria-live"), "polite");
  assert.equal(await page.getAttribute("#log", "aria-live"), "polite");
  for (const id of ["mint-sub", "mint", "network", "fetch-list", "revoke-all", "attack-none"]) {
    await page.locator("#skip, body").first().focus();
    await tabTo(page, id);
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, "none", id);
  }
  await close();
});

for (const width of [360, 768, 1280, 2560]) {
  test(`at ${width} px nothing is cut off and the verdict stays in sight`, async () => {
    const { page, close } = await openSignedIn(browser, daemon, { options: { viewport: { width, height: 740 } } });
    await mint(page);
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    const { y } = await page.locator("#verdict").boundingBox();
    assert.ok(y >= 0 && y < 740);
    await close();
  });
}

test("with reduced motion asked for, nothing moves by itself", async () => {
  const { page, close } = await openSignedIn(browser, daemon, { options: { reducedMotion: "reduce" } });
  const moving = await page.evaluate(() => [...document.querySelectorAll("*")]
    .filter((node) => getComputedStyle(node).transitionDuration !== "0s" || getComputedStyle(node).animationName !== "none").length);
  assert.equal(moving, 0);
  await close();
});

test("the page is served under a policy that lets in nothing foreign", async () => {
  const answer = await fetch(`${daemon.origin}/`);
  const policy = answer.headers.get("content-security-policy");
  for (const rule of ["default-src 'none'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:"]) {
    assert.ok(policy.includes(rule), rule);
  }
  assert.match(policy, /script-src 'self' 'wasm-unsafe-eval' 'sha256-[A-Za-z0-9+/]{43}='(?:;|$)/);
  const page = await answer.text();
  assert.equal(page.match(/<script(?![^>]*\bsrc=)/g).length, 1, "the import map is the only inline script");
  assert.doesNotMatch(page, /\sstyle=|\son[a-z]+=|<style/);
});

test("the console talks to the daemon it came from when the issuer has another name", async (t) => {
  const named = await startDaemon({ COUNTERSIGN_ISSUER: "https://id.example" });
  t.after(named.stop);
  const { page, close } = await openSignedIn(browser, named);
  await mint(page);
  assert.match(await text(page, "decoded"), /iss\s+https:\/\/id\.example/);
  await close();
});

test("a daemon that is gone is told with what to do, and verification goes on", async (t) => {
  const brief = await startDaemon();
  t.after(brief.stop);
  const { page, close } = await openSignedIn(browser, brief, { expected: ["ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET"] });
  await mint(page);
  await brief.stop();
  await page.click("#refresh");
  await page.locator("#notice-session", { hasText: "see whether the daemon is running" }).waitFor();
  await page.click("#verify");
  await verdictIs(page, "Accepted");
  await close();
});

test("credentials in the fragment are erased even when they are wrong", async () => {
  const { page, close } = await openConsole(browser, daemon, {
    expected: ["401"],
    fragment: credentialsFragment({ clientId: "admin", secret: "wrong" }),
  });
  await page.locator("#notice-signIn", { hasText: "invalid_client" }).waitFor();
  assert.equal(page.url(), `${daemon.origin}/`);
  await close();
});
