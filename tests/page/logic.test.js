/** The console's logic without a browser: what it concludes, with clock and network handed in. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { reasons } from "../../www/availability.js";
import { createApi } from "../../www/api.js";
import { ApiError, fault } from "../../www/fault.js";
import { bytes, micros, millis, relative, remaining } from "../../www/format.js";
import { addressFor, takeHanded } from "../../www/fragment.js";
import { decodeBase64url, readToken, writePart } from "../../www/jws.js";
import { CAPACITY, record } from "../../www/log.js";
import { measure } from "../../www/measure.js";
import { createNetwork, SwitchedOff } from "../../www/network.js";
import { advancePair, clocks, endPair, lastSpent, reusable, startPair } from "../../www/pair.js";
import { CHECKS, failedCheck, progress } from "../../www/pipeline.js";
import { createStore, INITIAL } from "../../www/state.js";

const answer = (generation, now) => {
  const claims = writePart({ iat: now, exp: now + 900 });
  const body = {
    access_token: `${writePart({ alg: "EdDSA" })}.${claims}.AAAA`,
    refresh_token: `refresh ${generation}`,
    expires_in: 900,
    refresh_expires_in: 600,
    session_expires_at: 10_000,
    sid: "session",
  };
  return { text: JSON.stringify(body), body };
};

test("credentials and tokens are taken from the fragment, and any trace of them is erased", () => {
  const visit = (hash) => {
    const shown = [];
    const history = { replaceState: (_state, _title, url) => shown.push(url) };
    return { taken: takeHanded({ hash, pathname: "/", search: "?a=b" }, history), shown };
  };
  assert.deepEqual(visit("#client_id=admin&client_secret=a%2Bb%26c"),
    { taken: { credentials: { clientId: "admin", clientSecret: "a+b&c" }, token: null }, shown: ["/?a=b"] });
  assert.deepEqual(visit("#client_secret=alone"), { taken: { credentials: null, token: null }, shown: ["/?a=b"] });
  assert.deepEqual(visit(addressFor("a.b_-.c").slice(1)), { taken: { credentials: null, token: "a.b_-.c" }, shown: ["/?a=b"] });
  assert.deepEqual(visit("#token-text"), { taken: { credentials: null, token: null }, shown: [] });
});

test("credentials are form-urlencoded before base64, as RFC 6749 section 2.3.1 says", async () => {
  const sent = [];
  const api = createApi(async (path, init) => {
    sent.push([path, init]);
    return new Response('{"active":false}');
  });
  await api.signIn({ clientId: "a:b", clientSecret: "c d%é" });
  const [path, init] = sent[0];
  assert.equal(path, "/oauth/introspect");
  assert.equal(atob(init.headers.authorization.slice("Basic ".length)), "a%3Ab:c+d%25%C3%A9");
});

test("a failed sign-in keeps nothing: the next call does not carry the wrong secret", async () => {
  const carried = [];
  const api = createApi(async (_path, init) => {
    carried.push(init.headers.authorization);
    return new Response('{"error":"invalid_client","error_description":"no"}', { status: 401 });
  });
  await assert.rejects(api.signIn({ clientId: "admin", clientSecret: "wrong" }), { code: "invalid_client", status: 401 });
  await assert.rejects(api.mint({ sub: "alice" }));
  assert.equal(carried[1], undefined);
});

test("a refusal is read in both of the issuer's shapes, and an unreadable one keeps its status", () => {
  const oauth = fault(400, '{"error":"invalid_grant","error_description":"no"}');
  assert.deepEqual([oauth.code, oauth.message, oauth.status], ["invalid_grant", "no", 400]);
  const problem = fault(413, '{"type":"about:blank","title":"Too large","status":413,"code":"body_too_large"}');
  assert.deepEqual([problem.code, problem.message], ["body_too_large", "Too large"]);
  assert.equal(fault(502, "<html>").code, "http_502");
  for (const status of [0, 400, 401, 404, 429, 500, 503]) assert.ok(new ApiError(status, "unheard_of", "x").advice.length > 10);
});

test("the switch refuses before anything is sent, and the issuer's name leads to the page's origin", async () => {
  const sent = [];
  const network = createNetwork(async (url) => sent.push(url.href), "http://localhost:8080");
  network.setIssuer("https://id.example");
  await network.fetch("https://id.example/revocations");
  await network.fetch("/readyz");
  network.setOn(false);
  await assert.rejects(network.fetch("/readyz"), SwitchedOff);
  assert.deepEqual(sent, ["http://localhost:8080/revocations", "http://localhost:8080/readyz"]);
  network.setOn(true);
  await network.fetch("/readyz");
  assert.equal(sent.length, 3);
});

test("the switch ends what is under way, and the caller's own signal does as well", async () => {
  const signals = [];
  const network = createNetwork(async (_url, { signal }) => signals.push(signal), "http://localhost:8080");
  const own = new AbortController();
  await network.fetch("/revocations/events", { signal: own.signal });
  await network.fetch("/revocations/events");
  own.abort();
  assert.deepEqual(signals.map(({ aborted }) => aborted), [true, false]);
  network.setOn(false);
  assert.ok(signals[1].reason instanceof SwitchedOff);
});

test("each code of the verifier belongs to a check, and the checks before it have passed", () => {
  const cases = [
    [{ code: "ERR_JWS_INVALID", reason: "too_long" }, "size"],
    [{ code: "ERR_JWS_INVALID", reason: "parts" }, "parts"],
    [{ code: "ERR_JWS_INVALID", reason: "base64url" }, "base64url"],
    [{ code: "ERR_JWS_INVALID", reason: "duplicate_member" }, "header"],
    [{ code: "ERR_JWS_INVALID", reason: "refused_member" }, "crit"],
    [{ code: "ERR_JOSE_ALG_NOT_ALLOWED" }, "alg"],
    [{ code: "ERR_JWT_CLAIM_VALIDATION_FAILED", claim: "typ", reason: "missing" }, "typ"],
    [{ code: "ERR_JWKS_NO_MATCHING_KEY" }, "kid"],
    [{ code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" }, "signature"],
    [{ code: "ERR_JWT_INVALID", reason: "json" }, "claims"],
    [{ code: "ERR_JWT_CLAIM_VALIDATION_FAILED", claim: "exp", reason: "invalid" }, "claims"],
    [{ code: "ERR_JWT_CLAIM_VALIDATION_FAILED", claim: "iss", reason: "check_failed" }, "iss"],
    [{ code: "ERR_JWT_CLAIM_VALIDATION_FAILED", claim: "aud", reason: "check_failed" }, "aud"],
    [{ code: "ERR_JWT_CLAIM_VALIDATION_FAILED", claim: "nbf", reason: "check_failed" }, "time"],
    [{ code: "ERR_JWT_EXPIRED", claim: "exp", reason: "check_failed" }, "time"],
    [{ code: "ERR_STATUS_MISSING", claim: "jti", reason: "invalid" }, "jti"],
    [{ code: "ERR_JWT_CLAIM_VALIDATION_FAILED", claim: "sid", reason: "missing" }, "jti"],
    [{ code: "ERR_JWT_CLAIM_VALIDATION_FAILED", claim: "scope", reason: "check_failed" }, "scope"],
    [{ code: "ERR_STATUS_STALE", reason: "expired" }, "fresh"],
    [{ code: "ERR_TOKEN_REVOKED", reason: "index" }, "live"],
  ];
  for (const [refusal, check] of cases) {
    assert.equal(failedCheck(refusal), check);
    const states = progress({ kind: "refused", ...refusal }).map(({ state }) => state);
    const failed = CHECKS.findIndex(({ id }) => id === check);
    assert.deepEqual(states, CHECKS.map((_, index) => (index < failed ? "passed" : index === failed ? "failed" : "skipped")));
  }
  assert.deepEqual(new Set(cases.map(([, check]) => check)), new Set(CHECKS.map(({ id }) => id)));
  assert.ok(progress({ kind: "refused", code: "ERR_UNHEARD_OF" }).every(({ state }) => state === "idle"));
});

test("a session knows its last spent token for a retry and its first for reuse", () => {
  const first = startPair(answer(0, 1000), 1000);
  assert.deepEqual([lastSpent(first), reusable(first)], [null, null]);
  const second = advancePair(first, answer(1, 1100), 1100);
  assert.deepEqual([lastSpent(second), reusable(second)], ["refresh 0", null]);
  const third = advancePair(second, answer(2, 1200), 1200);
  assert.deepEqual([lastSpent(third), reusable(third)], ["refresh 1", "refresh 0"]);
  assert.equal(third.generation, 2);
});

test("the three clocks run down: the first two start again with a refresh, the session's does not", () => {
  const refreshed = advancePair(startPair(answer(0, 1000), 1000), answer(1, 1300), 1300);
  assert.deepEqual(clocks(refreshed, 1400).map(({ id, left, total }) => [id, left, total]),
    [["access", 800, 900], ["idle", 500, 600], ["absolute", 8600, 9000]]);
  assert.ok(clocks(refreshed, 1e9).every(({ left }) => left === 0));
});

test("each control that cannot be used says why", () => {
  const signedIn = { ...INITIAL, client: "admin" };
  const pair = startPair(answer(0, 1000), 1000);
  const ready = { ...signedIn, pair, text: pair.access, source: pair.access };
  assert.equal(reasons(INITIAL).mint, "Sign in first.");
  assert.equal(reasons(signedIn).mint, null);
  assert.equal(reasons(signedIn).refresh, "Mint a pair first.");
  assert.equal(reasons(ready).refresh, null);
  assert.match(reasons(ready).reuse, /Refresh twice first/);
  assert.match(reasons({ ...ready, pair: endPair(pair, "Over.") }).refresh, /Over/);
  const cut = reasons({ ...ready, networkOn: false });
  assert.deepEqual([cut.verify, cut.tamper], [null, null]);
  for (const control of ["signIn", "mint", "refresh", "revokeToken", "endSession", "revokeBy", "fetchList", "audience"]) {
    assert.match(cut[control], /switched off/, control);
    assert.match(reasons({ ...ready, online: false })[control], /offline/, control);
  }
});

test("one run is timed by many: coarse steps of the clock do not show", async () => {
  for (const step of [0.005, 0.1, 1]) {
    let time = 0;
    const clock = { precise: () => { time += 0.0001; return Math.floor(time / step) * step; } };
    const result = await measure(() => { time += 0.14; }, clock, async () => {});
    assert.ok(Math.abs(result.micros - 140) < 6, `${result.micros} µs with steps of ${step} ms`);
    assert.ok(Math.abs(result.stepMicros - step * 1000) < 1);
    assert.equal(result.batches, 5);
  }
});

test("a clock that stands still ends the measurement all the same", async () => {
  let runs = 0;
  const result = await measure(() => { runs += 1; }, { precise: () => 7 }, async () => {});
  assert.equal(result.micros, 0);
  assert.equal(result.runs, runs);
});

test("durations, sizes and instants read as people say them", () => {
  assert.deepEqual([0, -3, 59, 899.9, 10_930, 604_799].map(remaining), ["0:00", "0:00", "0:59", "14:59", "3:02:10", "6 d 23:59:59"]);
  assert.deepEqual([1, 10_481].map(bytes), ["1 byte", "10,481 bytes"]);
  assert.deepEqual([4.23, 141.4, 1300].map((value) => micros(value).replace("\u00a0", " ")), ["4.2 µs", "141 µs", "1.3 ms"]);
  assert.deepEqual([0.4, 22.6, 1440].map((value) => millis(value).replace("\u00a0", " ")), ["under 1 ms", "23 ms", "1.4 s"]);
  assert.deepEqual([1900, 940, 1000].map((instant) => relative(instant, 1000)), ["in 15 minutes", "1 minute ago", "now"]);
});

test("a token is read as strictly as it is shown, and never throws", () => {
  assert.deepEqual(readToken(`${writePart({ alg: "é" })}.${writePart({ sub: "a" })}.x`).header, { alg: "é" });
  for (const text of ["", ".", "..", "a.b", "é.é.é", `${writePart([1])}.x.x`, "bnVsbA.bnVsbA."]) {
    const { header, claims } = readToken(text);
    assert.deepEqual([header, claims], [null, null], text);
  }
  assert.deepEqual(["A", "AA==", "A+/A", "AAAA A"].map(decodeBase64url), [null, null, null, null]);
});

test("the log keeps its newest entries and numbers each once", () => {
  let log = [];
  for (let at = 1; at <= CAPACITY + 5; at += 1) log = record(log, { side: "you", text: `${at}` }, at);
  assert.equal(log.length, CAPACITY);
  assert.deepEqual([log[0].number, log.at(-1).number], [CAPACITY + 5, 6]);
});

test("listeners of the store hear of many changes once", () => {
  const tasks = [];
  const store = createStore({ a: 1, b: 1 }, (task) => tasks.push(task));
  const heard = [];
  store.watch((state) => heard.push(state));
  store.change({ a: 2 });
  store.change({ b: 2 });
  tasks.splice(0).forEach((task) => task());
  assert.deepEqual(heard, [{ a: 1, b: 1 }, { a: 2, b: 2 }]);
});

/** WCAG 2.2: relative luminance, and the contrast of two colours written as #rrggbb. */
function contrast(one, other) {
  const luminance = (colour) => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [dark, light] = [luminance(one), luminance(other)].sort((left, right) => left - right);
  return (light + 0.05) / (dark + 0.05);
}

test("text has the contrast of WCAG AA on its ground, in light and in dark", async () => {
  const css = await readFile(new URL("../../www/theme.css", import.meta.url), "utf8");
  const [light, dark] = css.split("@media (prefers-color-scheme: dark)")
    .map((part) => Object.fromEntries([...part.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, colour]) => [name, colour])));
  const texts = {
    ground: ["ink", "muted", "accent"],
    card: ["ink", "muted", "accent", "good", "bad", "warn"],
    well: ["ink", "muted", "part-header", "part-claims", "part-signature", "bad"],
    "good-soft": ["ink", "muted", "good"],
    "bad-soft": ["ink", "muted", "bad"],
    "warn-soft": ["ink", "warn"],
    accent: ["accent-ink"],
  };
  for (const [scheme, colours] of [["light", light], ["dark", dark]]) {
    for (const [ground, names] of Object.entries(texts)) {
      for (const name of names) {
        const ratio = contrast(colours[name], colours[ground]);
        assert.ok(ratio >= 4.5, `${scheme}: ${name} on ${ground} is ${ratio.toFixed(2)}`);
      }
    }
    assert.ok(contrast(colours["line-strong"], colours.card) >= 3, `${scheme}: the edge of fields`);
  }
});

test("fields for a client take every client id that the daemon gives out", async () => {
  const [page, description] = await Promise.all(["www/index.html", "docs/openapi.json"].map((name) => readFile(new URL(`../../${name}`, import.meta.url), "utf8")));
  const longest = Math.max(...Array.from(description.matchAll(/"client_id": \{[^{}]*"maxLength": (\d+)/g), ([, length]) => Number(length)));
  const fields = ["client-id", "revoke-client-name"].map((id) => Number(new RegExp(`id="${id}"[^>]* maxlength="(\\d+)"`).exec(page)?.[1]));
  assert.deepEqual(fields, [longest, longest]);
});
