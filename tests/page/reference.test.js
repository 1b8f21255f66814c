/** The reference in a real Chromium: complete, found by words and by keyboard, on any screen, under the page's policy. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, stage, tabTo } from "./browser.js";

const { daemon, browser } = await stage();
const api = await (await fetch(`${daemon.origin}/openapi.json`)).json();

const open = (how = {}) =>
  openPage(browser, daemon, `/www/reference.html${how.fragment ?? ""}`, (page) => page.locator("article").first().waitFor({ state: "attached" }), how);

const operations = () => Object.values(api.paths).flatMap((item) => Object.values(item)).filter((told) => told.operationId !== undefined);

test("every operation and every schema of the document has a card, and every link of the page leads somewhere", async () => {
  const { page, close } = await open();
  const cards = await page.evaluate(() => [...document.querySelectorAll("article")].map(({ id }) => id));
  const wanted = [...operations().map(({ operationId }) => operationId), ...Object.keys(api.components.schemas).map((name) => `schema-${name}`)];
  assert.deepEqual(cards.toSorted(), wanted.toSorted());
  const lost = await page.evaluate(() => [...document.querySelectorAll('a[href^="#"]')].map(({ hash }) => hash.slice(1)).filter((id) => document.getElementById(id) === null));
  assert.deepEqual(lost, []);
  const mint = await page.locator("#mintTokens").innerText();
  for (const told of ["POST", "/v1/tokens", "1 to 255 bytes", "curl -s", '-u "$CLIENT_ID:$CLIENT_SECRET"', "invalid_field", "body_too_large"]) {
    assert.ok(mint.includes(told), `${told} is not told of mintTokens`);
  }
  await close();
});

test("words find operations, and what is not found is hidden", async () => {
  const { page, close } = await open();
  await tabTo(page, "find");
  await page.keyboard.type("introspect rfc 7662");
  await page.locator("#found", { hasText: "found" }).waitFor();
  const shown = await page.evaluate(() => [...document.querySelectorAll("article:not([hidden])")].map(({ id }) => id));
  assert.deepEqual(shown, ["introspect"]);
  await page.fill("#find", "no such thing anywhere");
  await page.locator("#found", { hasText: "0 found" }).waitFor();
  await page.fill("#find", "");
  await page.locator("#about").waitFor();
  await close();
});

test("an address with the name of an operation leads to it", async () => {
  const { page, close } = await open({ fragment: `#${operations().at(-1).operationId}` });
  const { y } = await page.locator(`#${operations().at(-1).operationId}`).boundingBox();
  assert.ok(y > -10 && y < (await page.viewportSize()).height, `${y}`);
  await close();
});

test("headings go down by one, tables say what they are, and every control has a name", async () => {
  const { page, close } = await open();
  const levels = await page.evaluate(() => [...document.querySelectorAll("main h2, main h3, main h4")].map(({ tagName }) => Number(tagName[1])));
  levels.reduce((above, level) => {
    assert.ok(level <= above + 1, `h${level} after h${above}`);
    return level;
  }, 1);
  const nameless = await page.evaluate(() => [
    ...[...document.querySelectorAll("table")].filter((table) => table.caption === null || table.querySelector("th[scope=col]") === null),
    ...[...document.querySelectorAll("button, input")].filter((control) => !control.getAttribute("aria-label") && control.textContent.trim() === "" && control.labels?.length === 0),
  ].length);
  assert.equal(nameless, 0);
  await close();
});

for (const colorScheme of ["light", "dark"]) {
  test(`every text is readable on its ground in ${colorScheme} colours`, async () => {
    const { page, close } = await open({ options: { colorScheme, reducedMotion: "reduce" } });
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
    assert.deepEqual(await page.evaluate(faint), []);
    await close();
  });
}

/** Elements with text of less contrast than WCAG's 4.5:1 (1.4.3), in the page. */
function faint() {
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const ground = (node) => {
    for (let at = node; at !== null; at = at.parentElement) {
      const color = numbers(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const holdsText = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim() !== "");
  return [...document.querySelectorAll("body *")].filter((node) => holdsText(node) && node.checkVisibility() && !node.matches(".skip")).filter((node) => {
    const [light, dark] = [luminance(numbers(getComputedStyle(node).color)), luminance(ground(node))].toSorted((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05) < 4.5;
  }).map((node) => `${node.tagName}.${node.className}: ${node.textContent.slice(0, 40)}`);
}

for (const width of [360, 768, 1280]) {
  test(`at ${width} px nothing is cut off`, async () => {
    const { page, close } = await open({ options: { viewport: { width, height: 740 } } });
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await close();
  });
}

test("a daemon that is gone is told with what to do", async () => {
  const { page, close } = await openPage(browser, daemon, "/www/reference.html", async (page) => page.locator("article").first().waitFor({ state: "attached" }), { expected: ["ERR_FAILED"] });
  await page.route("**/openapi.json", (route) => route.abort());
  await page.reload();
  await page.locator("#notice", { hasText: "See whether the daemon is running" }).waitFor();
  await close();
});
