/** The console driven in a real Chromium against the real daemon: what a person does with it, and what must not happen. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { available, idle, mint, openConsole, openSignedIn, stage, tabTo, verdictIs } from "./browser.js";

const { daemon, browser } = await stage();

const text = (page, id) => page.locator(`#${id}`).innerText();
const logged = (page, words) => page.locator("#log li", { hasText: words }).first().waitFor();

/** Refreshes, and waits until the page shows the pair of this number. */
async function refreshTo(page, pair) {
  await page.click("#refresh");
  await page.locator("#session-line", { hasText: `Pair ${pair} of session` }).waitFor();
  await idle(page);
}

test("the fragment signs in and is gone from the address and the history at once", async () => {
  const { page, close } = await openSignedIn(browser, daemon);
  assert.equal(page.url(), `${daemon.origin}/`);
  assert.equal(await text(page, "client-name"), "admin");
  assert.equal(await page.evaluate(() => history.length), 2, "about:blank and the page, no third entry");
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, document.documentElement.outerHTML]));
  assert.ok(!kept.includes(daemon.secret), "the secret is nowhere but in memory");
  await close();
});

test("the form signs in, and a wrong secret is told with its code and what to do", async () => {
  const { page, close } = await openConsole(browser, daemon, { expected: ["401"] });
  await page.fill("#client-secret", "not the secret");
  await page.click("#sign-in");
  const notice = page.locator("#notice-signIn");
  await notice.filter({ hasText: "invalid_client" }).waitFor();
  assert.match(await notice.innerText(), /Check the client id and the secret/);
  await page.fill("#client-secret", daemon.secret);
  await page.click("#sign-in");
  await page.locator("#client-line").waitFor({ state: "visible" });
  assert.equal(await page.inputValue("#client-secret"), "", "the field forgets the secret");
  await page.click("#sign-out");
  await page.locator("#sign-in-card").waitFor({ state: "visible" });
  assert.equal(await text(page, "mint-reason"), "Sign in first.");
  await close();
});

test("a minted token is decoded, accepted by all checks, and timed in microseconds", async () => {
  const { page, close } = await openSignedIn(browser, daemon);
  await page.fill("#mint-sub", "carol");
  await mint(page);
  assert.match(await text(page, "timing-figure"), /^\d[\d.]*\sµs$/);
  assert.match(await text(page, "verify-reason"), /median of 5 batches, [\d,]+ runs/);
  assert.match(await text(page, "decoded"), /sub\s+carol/);
  assert.equal(await page.locator('.step[data-state="passed"]').count(), 17);
  assert.match(await text(page, "clock-access"), /1[45]:\d\d/);
  assert.match(await text(page, "clock-idle"), /[67] d/);
  assert.match(await text(page, "clock-absolute"), /(29|30) d/);
  assert.match(await text(page, "list-facts"), /Sequence\s+\d{13}/);
  assert.match(await text(page, "list-facts"), /Size\s+[\d,]+ bytes/);
  await close();
});

test("with the switch off nothing is sent, verification goes on, and what needs the network says so", async () => {
  const { page, requests, close } = await openSignedIn(browser, daemon);
  await mint(page);
  await page.click("#network");
  await page.locator("#network[aria-checked=false]").waitFor();
  const before = requests.length;
  await page.click("#attack-signature");
  await verdictIs(page, "Refused", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED");
  await page.click("#restore");
  await verdictIs(page, "Accepted");
  await page.click("#verify");
  await logged(page, "with the network off");
  assert.equal(await page.getAttribute("#refresh", "aria-disabled"), "true");
  await page.locator("#refresh").press("Enter");
  assert.equal(await text(page, "session-reason"), "The network is switched off on this page.");
  assert.equal(requests.length, before, "nothing left the page");
  await page.click("#network");
  await available(page, "refresh");
  await close();
});

test("with the machine really offline verification goes on", async () => {
  const { page, context, close } = await openSignedIn(browser, daemon, { expected: ["ERR_INTERNET_DISCONNECTED"] });
  await mint(page);
  await context.setOffline(true);
  await page.locator("#network-state", { hasText: "offline" }).waitFor();
  assert.match(await page.evaluate(() => fetch("/healthz").then(() => "answered", (error) => error.name)), /TypeError/);
  await page.click("#verify");
  await logged(page, "with the network off");
  await verdictIs(page, "Accepted");
  await context.setOffline(false);
  await page.locator("#network-state", { hasText: /^on$/ }).waitFor();
  await close();
});

test("the same refresh token sent twice brings the same bytes", async () => {
  const { page, close } = await openSignedIn(browser, daemon);
  await mint(page);
  assert.match(await text(page, "retry-reason"), /Refresh once first/);
  const answers = [];
  page.on("response", async (response) => {
    if (response.url().endsWith("/oauth/token")) answers.push(response.body());
  });
  await refreshTo(page, 2);
  await page.click("#retry");
  await page.locator("#exchange", { hasText: "identical" }).waitFor();
  const [first, second] = await Promise.all(answers);
  assert.ok(first.equals(second) && first.length > 500);
  await verdictIs(page, "Accepted");
  await close();
});

test("an old refresh token used again kills the session and its live token", async () => {
  const { page, close } = await openSignedIn(browser, daemon, { expected: ["400"] });
  await mint(page);
  await refreshTo(page, 2);
  await refreshTo(page, 3);
  await page.click("#reuse");
  await verdictIs(page, "Refused", "ERR_TOKEN_REVOKED");
  await logged(page, "The session is dead");
  await idle(page);
  assert.match(await text(page, "session-line"), /the issuer ended the session/);
  assert.match(await text(page, "notice-session"), /invalid_grant/);
  assert.equal(await page.getAttribute("#refresh", "aria-disabled"), "true");
  await close();
});

test("the newest list is fetched on request as well, and its size told", async () => {
  const { page, close } = await openSignedIn(browser, daemon);
  await page.click("#fetch-list");
  await logged(page, /Fetched list \d+: [\d,]+ bytes/);
  await close();
});

test("revoking a token turns the very token refused, by the list that comes by itself", async () => {
  const { page, close } = await openSignedIn(browser, daemon);
  await mint(page);
  const sequence = () => page.locator("#list-facts .fact", { hasText: "Sequence" }).locator("dd").innerText().then(Number);
  const before = await sequence();
  await page.click("#revoke-token");
  await verdictIs(page, "Refused", "ERR_TOKEN_REVOKED");
  await logged(page, "The very same token is now refused");
  await logged(page, /List \d+ came by itself: 1 more token/);
  await idle(page);
  assert.ok(await sequence() > before);
  assert.equal(await page.getAttribute("#check-live", "data-state"), "failed");
  assert.equal(await page.locator('.step[data-state="passed"]').count(), 16);
  await refreshTo(page, 2);
  await verdictIs(page, "Accepted");
  await page.click("#end-session");
  await verdictIs(page, "Refused", "ERR_TOKEN_REVOKED");
  await page.locator("#session-line", { hasText: "The session was revoked" }).waitFor();
  await close();
});

test("each attack on the page is refused by its check with its code", async () => {
  const { page, close } = await openSignedIn(browser, daemon);
  await mint(page);
  const attacks = [
    ["oversize", "size", "ERR_JWS_INVALID"],
    ["unsigned", "parts", "ERR_JWS_INVALID"],
    ["padded", "base64url", "ERR_JWS_INVALID"],
    ["none", "alg", "ERR_JOSE_ALG_NOT_ALLOWED"],
    ["type", "typ", "ERR_JWT_CLAIM_VALIDATION_FAILED"],
    ["key", "crit", "ERR_JWS_INVALID"],
    ["kid", "kid", "ERR_JWKS_NO_MATCHING_KEY"],
    ["role", "signature", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"],
    ["longer", "signature", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"],
    ["signature", "signature", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"],
  ];
  assert.equal(await page.locator("#attacks button").count(), attacks.length);
  for (const [attack, check, code] of attacks) {
    await page.click(`#attack-${attack}`);
    await verdictIs(page, "Refused", code);
    assert.equal(await page.locator('.step[data-state="failed"]').getAttribute("id"), `check-${check}`, attack);
  }
  await page.click("#restore");
  await verdictIs(page, "Accepted");
  await page.locator("#token-text").press("End");
  await page.keyboard.type("x");
  await verdictIs(page, "Refused", "ERR_JWS_INVALID");
  await close();
});

test("audience, scope and the verifier's clock are judged as asked", async () => {
  const { page, close } = await openSignedIn(browser, daemon);
  await mint(page);
  await page.click("text=What this verifier asks for");
  await page.fill("#verify-scope", "orders:delete");
  await verdictIs(page, "Refused", "ERR_JWT_CLAIM_VALIDATION_FAILED");
  assert.equal(await page.locator('.step[data-state="failed"]').getAttribute("id"), "check-scope");
  await page.fill("#verify-scope", "");
  await verdictIs(page, "Accepted");
  await page.selectOption("#verify-as-of", "600");
  await verdictIs(page, "Refused", "ERR_STATUS_STALE");
  await page.selectOption("#verify-as-of", "3600");
  await verdictIs(page, "Refused", "ERR_JWT_EXPIRED");
  await page.selectOption("#verify-as-of", "0");
  await page.fill("#verify-audience", "another");
  await page.press("#verify-audience", "Enter");
  await verdictIs(page, "Refused", "ERR_JWT_CLAIM_VALIDATION_FAILED");
  assert.equal(await page.locator('.step[data-state="failed"]').getAttribute("id"), "check-aud");
  await close();
});

test("a refused mint shows the issuer's code and what to do", async () => {
  const { page, close } = await openSignedIn(browser, daemon, { expected: ["400"] });
  await page.click("text=More lifetimes and own claims");
  await page.fill("#mint-claims", '{"iss":"https://elsewhere.example"}');
  await page.click("#mint");
  const notice = page.locator("#notice-mint");
  await notice.waitFor({ state: "visible" });
  assert.match(await notice.locator("code").innerText(), /^[a-z_]+$/);
  assert.ok((await notice.locator("p").nth(1).innerText()).length > 10);
  await page.fill("#mint-claims", '{"plan":"pro"}');
  await mint(page);
  assert.equal(await notice.isVisible(), false);
  assert.match(await text(page, "decoded"), /plan\s+pro/);
  await close();
});

test("the main path is walked with the keyboard alone", async () => {
  const { page, close } = await openConsole(browser, daemon);
  await tabTo(page, "client-secret");
  await page.keyboard.type(daemon.secret);
  await page.keyboard.press("Enter");
  await page.locator("#client-line").waitFor({ state: "visible" });
  await page.waitForFunction(() => document.activeElement.id === "mint-sub");
  await tabTo(page, "mint");
  await page.keyboard.press("Enter");
  await verdictIs(page, "Accepted");
  await idle(page);
  await tabTo(page, "refresh");
  await page.keyboard.press("Space");
  await page.locator("#session-line", { hasText: "Pair 2" }).waitFor();
  await idle(page);
  await tabTo(page, "retry");
  await page.keyboard.press("Enter");
  await page.locator("#exchange", { hasText: "identical" }).waitFor();
  await idle(page);
  await tabTo(page, "verify");
  await page.keyboard.press("Enter");
  await page.locator("#timing").waitFor({ state: "visible" });
  await idle(page);
  await tabTo(page, "attack-none");
  await page.keyboard.press("Enter");
  await verdictIs(page, "Refused", "ERR_JOSE_ALG_NOT_ALLOWED");
  await tabTo(page, "revoke-token");
  await page.keyboard.press("Enter");
  await logged(page, "The access token is revoked");
  await idle(page);
  await tabTo(page, "restore");
  await page.keyboard.press("Enter");
  await verdictIs(page, "Refused", "ERR_TOKEN_REVOKED");
  await tabTo(page, "network");
  await page.keyboard.press("Space");
  await page.locator("#network[aria-checked=false]").waitFor();
  await close();
});

test("a session ended elsewhere is told as over, not as reuse", async () => {
  const { page, close } = await openSignedIn(browser, daemon, { expected: ["400"] });
  const minted = page.waitForResponse((response) => response.url().endsWith("/v1/tokens"));
  await mint(page);
  const { refresh_token: token } = await (await minted).json();
  await daemon.revoke(token);
  await page.click("#refresh");
  await verdictIs(page, "Refused", "ERR_TOKEN_REVOKED");
  await page.locator("#session-line", { hasText: "it was revoked, or has expired" }).waitFor();
  await close();
});
