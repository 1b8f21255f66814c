/** The console follows its issuer in a real Chromium: what it is told, what it shows of that, and what cuts it off. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { available, idle, mint, openSignedIn, stage, streams, tabFrom, verdictIs } from "./browser.js";
import { startDaemon } from "../daemon.js";

/** What Chromium writes when the switch, or the end of a daemon, ends a stream. */
const CUT = ["ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET"];
const SHORT_LIVED = { COUNTERSIGN_LIST_TTL_SECONDS: "10", COUNTERSIGN_LIST_INTERVAL_SECONDS: "5" };

const { daemon, browser } = await stage();

const logged = (page, words) => page.locator("#log li", { hasText: words }).first().waitFor();
const told = (page, kind, words) => page.locator(`#feed [data-kind="${kind}"]`, { hasText: words }).first().waitFor();
const factOf = (page, name) => page.locator("#list-facts .fact", { hasText: name }).locator("dd");
const fact = (page, name) => factOf(page, name).innerText();

describe("following", { concurrency: 4 }, () => {
  test("the page says by which way news come, from when they are, what they revoke and how long they count", async () => {
    const { page, close } = await openSignedIn(browser, daemon);
    await streams(page);
    assert.equal(await page.locator("#way").innerText(), "Live stream");
    assert.equal(await fact(page, "Transport"), "stream");
    assert.match(await fact(page, "Last contact"), /ago$/);
    assert.match(await fact(page, "Age"), /second/);
    assert.match(await fact(page, "Revokes"), /^[\d,]+ tokens?, \d+ rules?$/);
    assert.match(await page.locator("#clock-list").innerText(), /May be used for\s+[45]:\d\d/);
    assert.match(await page.locator("#strip-summary").textContent(), /^The last two minutes: \d+ heartbeats?, \d+ revocations?\. The issuer pushes news/);
    assert.ok((await page.locator("#strip .strip-trace").count()) > 0);
    await close();
  });

  test("what is revoked in one tab is refused in another by itself, which says how long that took", async () => {
    const { page, close } = await openSignedIn(browser, daemon);
    await page.fill("#mint-sub", "two-tabs");
    await mint(page);
    const tab = await tabFrom(page, "second-tab");
    assert.equal(tab.url(), `${daemon.origin}/`, "the token is gone from the address");
    await verdictIs(tab, "Accepted");
    await Promise.all([streams(page), streams(tab)]);
    const asked = [];
    tab.on("request", (request) => asked.push(request.url()));
    await page.click("#revoke-token");
    await Promise.all([page, tab].map((each) => verdictIs(each, "Refused", "ERR_TOKEN_REVOKED")));
    await logged(tab, /This page refused the token by itself, .* another tab\./);
    await told(tab, "revoked", /more tokens? in list \d+/);
    assert.match(await tab.locator("#latency").innerText(), /^(at once|under 1 ms|\d+ ms)\s*from the issuer’s answer to another tab until this page refused/u);
    assert.match(await page.locator("#latency").innerText(), /from the issuer’s answer until this page refused/);
    assert.equal(await page.locator("#timing-note").innerText(), "after the answer");
    assert.match(await tab.locator("#strip .strip-label").last().textContent(), /^\+\d+$/);
    assert.deepEqual(asked, [], "nothing was asked for");
    await close();
  });

  test("the switch cuts the stream as well, and when it is on again what was missed is there by itself", async () => {
    const { page, close } = await openSignedIn(browser, daemon, { expected: CUT });
    await mint(page);
    await streams(page);
    await page.click("#network");
    await page.locator('#way[data-way="cut"]').waitFor();
    await told(page, "way", "Cut off");
    await daemon.revoke(await page.inputValue("#token-text"));
    await page.click("#verify");
    await logged(page, "with the network off");
    await verdictIs(page, "Accepted");
    const missed = await fact(page, "Sequence");
    await page.click("#network");
    await verdictIs(page, "Refused", "ERR_TOKEN_REVOKED");
    await streams(page);
    assert.ok((await fact(page, "Sequence")) > missed);
    assert.ok((await page.locator('#strip .strip-trace[data-way="cut"]').count()) > 0);
    await close();
  });

  test("a reuse of a refresh token is refused by the list that comes by itself", async () => {
    const { page, close } = await openSignedIn(browser, daemon);
    const minted = page.waitForResponse((response) => response.url().endsWith("/v1/tokens"));
    await mint(page);
    await streams(page);
    const { refresh_token: token } = await (await minted).json();
    const elsewhere = await daemon.refresh(token);
    await daemon.refresh(elsewhere.refresh_token);
    await assert.rejects(daemon.refresh(token), /invalid_grant/);
    await verdictIs(page, "Refused", "ERR_TOKEN_REVOKED");
    await told(page, "revoked", /more tokens? in list/);
    await close();
  });
});

describe("with an issuer of their own", { concurrency: 4 }, () => {
  test("a subject, a session, a client and everything are revoked from the page", async (t) => {
    const own = await startDaemon();
    t.after(own.stop);
    const { page, close } = await openSignedIn(browser, own, { expected: ["400"] });
    const revoke = async (target) => {
      await mint(page);
      await streams(page);
      await page.click(`#revoke-${target}`);
      await verdictIs(page, "Refused", "ERR_TOKEN_REVOKED");
      await page.locator("#session-line", { hasText: "The session was revoked" }).waitFor();
      await idle(page);
    };
    await revoke("subject");
    await logged(page, "Every session of the subject alice is revoked");
    await revoke("session");
    await logged(page, /The session \S+ is revoked/);
    await revoke("client");
    await told(page, "revoked", "1 more rule");
    await logged(page, "The tokens of its client are revoked");
    await mint(page);
    await page.fill("#revoke-client-name", "nobody");
    await page.press("#revoke-client-name", "Enter");
    await page.locator("#notice-revoking", { hasText: "invalid_field" }).waitFor();
    await verdictIs(page, "Accepted");
    await page.click("#revoke-all");
    assert.equal(await page.locator("#revoke-all").innerText(), "Really everything?");
    await page.locator("#token-text").focus();
    assert.equal(await page.locator("#revoke-all").innerText(), "Revoke everything", "who goes elsewhere has not meant it");
    await verdictIs(page, "Accepted");
    await page.click("#revoke-all");
    await page.click("#revoke-all");
    await verdictIs(page, "Refused", "ERR_TOKEN_REVOKED");
    await logged(page, "Everything issued until a certain time is revoked");
    assert.match(await fact(page, "Revokes"), /, 2 rules$/);
    await close();
  });

  test("cut off beyond the list's end the page refuses every token, says so, and recovers by itself", async (t) => {
    const own = await startDaemon(SHORT_LIVED);
    t.after(own.stop);
    const { page, close } = await openSignedIn(browser, own, { expected: CUT });
    await mint(page);
    await streams(page);
    await page.click("#revoke-token");
    await verdictIs(page, "Refused", "ERR_TOKEN_REVOKED");
    await page.locator("#timing", { hasText: "after the answer" }).waitFor();
    await page.click("#network");
    await verdictIs(page, "Refused", "ERR_STATUS_STALE");
    assert.equal(await page.locator("#timing").isVisible(), false, "how long the revocation took says nothing of this refusal");
    await told(page, "stale", "every token is refused");
    await logged(page, "The list held is too old");
    await page.locator('#strip .strip-flag[data-kind="stale"]').waitFor({ state: "attached" });
    assert.equal(await page.getAttribute("#check-fresh", "data-state"), "failed");
    await page.click("#network");
    await verdictIs(page, "Refused", "ERR_TOKEN_REVOKED");
    await told(page, "recovered", "tokens are judged again");
    await page.click("#refresh");
    await verdictIs(page, "Accepted");
    await close();
  });

  test("without a stream the page says that it asks, and refuses what is revoked all the same", async (t) => {
    const own = await startDaemon({ COUNTERSIGN_MAX_FOLLOWERS: "0" });
    t.after(own.stop);
    const { page, close } = await openSignedIn(browser, own, { expected: ["503"] });
    await mint(page);
    await page.locator('#way[data-way="poll"]').waitFor();
    assert.equal(await fact(page, "Transport"), "poll");
    await own.revoke(await page.inputValue("#token-text"));
    await verdictIs(page, "Refused", "ERR_TOKEN_REVOKED");
    await close();
  });

  test("a daemon that ends is told as cut off", async (t) => {
    const own = await startDaemon();
    t.after(own.stop);
    const { page, close } = await openSignedIn(browser, own, { expected: CUT });
    await streams(page);
    await own.stop();
    await page.locator('#way[data-way="cut"]').waitFor();
    await logged(page, "Cut off: nothing comes from the issuer");
    await available(page, "fetch-list");
    await close();
  });

  test("a hundred revocations do not flood the log", async (t) => {
    const own = await startDaemon();
    t.after(own.stop);
    const { page, close } = await openSignedIn(browser, own);
    const pairs = await Promise.all(Array.from({ length: 100 }, () => own.mint({ sub: "many" })));
    const before = await page.locator("#log li").count();
    await Promise.all(pairs.map(({ access_token: token }) => own.revoke(token)));
    await logged(page, /more tokens, \d+ tokens in all/);
    assert.ok((await page.locator("#log li").count()) - before < 10);
    await close();
  });
});
