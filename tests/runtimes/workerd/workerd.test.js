import assert from "node:assert/strict";
import { test } from "node:test";
import { startDaemon } from "../../daemon.js";
import { keySet, list, placeOf, serve, token } from "../issuing.js";
import { count, vectors } from "../vectors.js";
import { COMPATIBILITY_DATES, running } from "./worker.js";

/** workerd has the system's clock only. */
const now = () => Math.floor(Date.now() / 1000);

/** An issuer whose documents are those of `state` at the moment. */
async function issuing(context, state) {
  const signed = { iat: now() - 10, exp: now() + 300 };
  const issuer = await serve({
    "/.well-known/jwks.json": (_, response) => response.end(JSON.stringify(keySet())),
    "/revocations": async (_, response) => {
      await state.held?.();
      if (state.failing) return response.writeHead(500).end();
      response.end(list({ iss: issuer.url, ...signed, ...state }));
    },
  });
  context.after(issuer.close);
  const fresh = (own) => token({ iss: issuer.url, scope: "orders:read", iat: now(), exp: now() + 600, ...own });
  return { url: issuer.url, fresh };
}

async function worker(context, ...arguments_) {
  const started = await running(...arguments_);
  context.after(started.close);
  return (path, authorization) => fetch(`${started.url}${path}`, authorization && { headers: { authorization } });
}

for (const compatibilityDate of COMPATIBILITY_DATES) {
  test(`workerd of ${compatibilityDate} gives the expected outcome on every vector`, async (context) => {
    const { url, close } = await running("judging", { compatibilityDate });
    context.after(close);
    const all = vectors();
    context.diagnostic(`${count(all)} vectors`);
    const response = await fetch(url, { method: "POST", body: JSON.stringify(all) });
    assert.deepEqual(await response.json(), []);
  });

  test(`a worker of ${compatibilityDate} answers 200, 401 and 403, and refuses a revoked token after a refresh`, async (context) => {
    const state = { seq: 1 };
    const { url, fresh } = await issuing(context, state);
    const ask = await worker(context, "example", { env: { ISSUER: url, REFRESH_SECONDS: "0" }, compatibilityDate });
    const good = fresh();

    const granted = await ask("/", `Bearer ${good}`);
    assert.deepEqual([granted.status, await granted.json()], [200, { subject: "user-1" }]);

    const anonymous = await ask("/");
    assert.deepEqual([anonymous.status, anonymous.headers.get("www-authenticate")], [401, "Bearer"]);

    const forbidden = await ask("/", `Bearer ${fresh({ scope: "orders:write" })}`);
    assert.equal(forbidden.status, 403);
    assert.match(forbidden.headers.get("www-authenticate"), /^Bearer error="insufficient_scope", .*scope="orders:read"$/);

    const malformed = await ask("/", "Bearer a b");
    assert.equal(malformed.status, 400);

    Object.assign(state, { seq: 2, revoked: placeOf(good) });
    const refused = await until(() => ask("/", `Bearer ${good}`), (answer) => answer.status !== 200);
    assert.deepEqual([refused.status, (await refused.json()).code], [401, "ERR_TOKEN_REVOKED"]);
  });
}

test("a worker guards an API with the tokens of the real daemon", async (context) => {
  const issuer = await startDaemon();
  context.after(issuer.stop);
  const ask = await worker(context, "example", { env: { ISSUER: issuer.origin, REFRESH_SECONDS: "0" } });
  const { access_token: reader } = await issuer.mint({ scope: "orders:read" });
  const { access_token: writer } = await issuer.mint({ scope: "orders:write" });
  const statuses = async () => Promise.all([`Bearer ${reader}`, undefined, `Bearer ${writer}`].map(async (credentials) => (await ask("/", credentials)).status));
  assert.deepEqual(await statuses(), [200, 401, 403]);
  await issuer.revoke(reader);
  const refused = await until(() => ask("/", `Bearer ${reader}`), ({ status }) => status !== 200);
  assert.deepEqual([refused.status, (await refused.json()).code], [401, "ERR_TOKEN_REVOKED"]);
});

test("a worker answers 503 when its list is too old to tell", async (context) => {
  const state = { seq: 1, iat: now() - 300, exp: now() - 1 };
  const { url, fresh } = await issuing(context, state);
  const ask = await worker(context, "example", { env: { ISSUER: url, REFRESH_SECONDS: "0" } });
  const answer = await ask("/", `Bearer ${fresh()}`);
  assert.deepEqual([answer.status, answer.headers.get("retry-after"), (await answer.json()).code], [503, "1", "ERR_STATUS_STALE"]);
});

test("a worker whose issuer is away fails, and works once the issuer is back", async (context) => {
  const state = { seq: 1, failing: true };
  const { url, fresh } = await issuing(context, state);
  const ask = await worker(context, "example", { env: { ISSUER: url, REFRESH_SECONDS: "0" } });
  assert.equal((await ask("/", `Bearer ${fresh()}`)).status, 500);
  state.failing = false;
  assert.equal((await ask("/", `Bearer ${fresh()}`)).status, 200);
});

test("many requests at once share a verifier, refresh it, and wait for nobody's I/O but their own", async (context) => {
  const { url } = await issuing(context, { seq: 1 });
  const ask = await worker(context, "sharing", { env: { ISSUER: url }, define: { KEYS: JSON.stringify(keySet()) } });
  const valid = token({ iat: now(), exp: now() + 600 });
  const paths = Array.from({ length: 60 }, (_, at) => ["/verify", "/refresh", "/status"][at % 3]);
  const answers = await Promise.all(paths.map((path) => ask(path, `Bearer ${valid}`)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  const seen = await Promise.all(answers.map((answer) => answer.json()));
  seen.forEach((answer, at) => (paths[at] === "/verify" ? assert.equal(answer, true) : assert.equal(answer.seq, 1)));
});

test("a verifier is closed by one request while another one refreshes it", async (context) => {
  const state = { seq: 1 };
  const { url } = await issuing(context, state);
  const ask = await worker(context, "sharing", { env: { ISSUER: url }, define: { KEYS: JSON.stringify(keySet()) } });
  assert.equal((await (await ask("/status")).json()).seq, 1);
  let release;
  const asked = new Promise((told) => {
    state.held = () => new Promise((released) => told((release = released)));
  });
  const refreshing = ask("/refresh");
  await asked;
  assert.equal((await ask("/close")).status, 200);
  release();
  assert.deepEqual(await (await refreshing).json(), { code: "ERR_USAGE" });
});

/** Asks again until the answer is the one waited for; the background refresh has no end that a client could see. */
async function until(ask, holds) {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (holds(answer) || Date.now() > deadline) return answer;
    await answer.body?.cancel();
  }
}
