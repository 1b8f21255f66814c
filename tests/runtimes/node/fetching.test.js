import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createVerifier, FetchError, KeySetError, ListError, UsageError } from "countersign";
import { AUDIENCE, keyOf, keySet, list, listKey, NOW, placeOf, serve, token, tokenKey } from "../issuing.js";

const KEYS = "/.well-known/jwks.json";
const LIST = "/revocations";

/** What the issuer answers at the moment; each test sets it anew. */
const answers = { [KEYS]: undefined, [LIST]: undefined };
const issuer = await serve({ [KEYS]: (...both) => answers[KEYS](...both), [LIST]: (...both) => answers[LIST](...both) });
const elsewhere = await serve({ [KEYS]: sends(JSON.stringify(keySet())) });
after(() => Promise.all([issuer.close(), elsewhere.close()]));

const given = { issuer: issuer.url, audience: AUDIENCE, now: () => NOW };
const ours = (own) => token({ iss: issuer.url, ...own });
const ourList = (content) => list({ iss: issuer.url, ...content });

function sends(body, status = 200, headers = {}) {
  return (_, response) => response.writeHead(status, headers).end(body);
}

function healthy(content) {
  answers[KEYS] = sends(JSON.stringify(keySet()));
  answers[LIST] = sends(ourList(content));
}

test("keys and list are fetched from the issuer, and what a list revokes is revoked after a refresh", async () => {
  healthy();
  const verifier = await createVerifier(given);
  assert.equal(verifier.verify(ours()).sub, "user-1");
  healthy({ seq: 2, revoked: placeOf(ours()) });
  assert.ok(verifier.verify(ours()), "not yet");
  await verifier.refresh();
  assert.equal(verifier.status.seq, 2);
  assert.throws(() => verifier.verify(ours()), { code: "ERR_TOKEN_REVOKED" });
});

test("an issuer with a slash at its end is asked at the same paths", async () => {
  answers[KEYS] = sends(JSON.stringify(keySet()));
  const verifier = await createVerifier({ ...given, issuer: `${issuer.url}/`, revocations: null });
  assert.ok(verifier.verify(token({ iss: `${issuer.url}/` })));
});

const failures = {
  "status 500": sends("{}", 500),
  "status 404 with a page": sends("<html>", 404, { "content-type": "text/html" }),
  "status 204": sends(undefined, 204),
  "status 206": sends("{}", 206),
  "status 304 with nothing cached": sends(undefined, 304),
  "a redirect to the same host": sends("", 302, { location: "/else" }),
  "a redirect to another host": sends("", 307, { location: `${elsewhere.url}${KEYS}` }),
  "a redirect loop": (request, response) => response.writeHead(302, { location: request.url }).end(),
  "a connection that is cut": (_, response) => response.socket.destroy(),
  "a body that is cut": (_, response) => response.writeHead(200, { "content-length": "100" }).write("{", () => response.socket.destroy()),
};

for (const [name, answer] of Object.entries(failures)) {
  test(`${name} is a FetchError with the URL`, async () => {
    for (const path of [KEYS, LIST]) {
      healthy();
      answers[path] = answer;
      await assert.rejects(createVerifier(given), (error) => {
        assert.ok(error instanceof FetchError, `${error}`);
        assert.deepEqual([error.code, error.url], ["ERR_FETCH", `${issuer.url}${path}`]);
        return true;
      });
    }
  });
}

test("an answer is read no further than its limit, whatever its announced length", async () => {
  let sent = 0;
  const endless = (_, response) => {
    const chunk = Buffer.alloc(64 * 1024, " ");
    const more = () => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      if (!response.destroyed) response.once("drain", more);
    };
    response.writeHead(200);
    more();
  };
  for (const [path, limit] of [[KEYS, 64 * 1024], [LIST, 16 * 1024 * 1024]]) {
    healthy();
    sent = 0;
    answers[path] = endless;
    await assert.rejects(createVerifier(given), { code: "ERR_FETCH", message: new RegExp(`longer than ${limit} bytes`) });
    assert.ok(sent < 3 * limit + 8 * 1024 * 1024, `${sent} bytes were sent`);
  }
});

test("an answer that does not end in time is given up, before and inside the body", async () => {
  const silent = () => {};
  const dripping = (_, response) => response.writeHead(200).write("{");
  for (const answer of [silent, dripping]) {
    healthy();
    answers[KEYS] = answer;
    await assert.rejects(createVerifier({ ...given, timeout: 0.05 }), { code: "ERR_FETCH", message: /no complete answer within 0.05 s/ });
  }
});

test("a fetch or a body that heeds no signal is given up all the same", async () => {
  const deaf = () => new Promise(() => {});
  const deafBody = async () => new Response(new ReadableStream());
  for (const fetch of [deaf, deafBody]) {
    await assert.rejects(createVerifier({ ...given, timeout: 0.05, fetch }), { code: "ERR_FETCH", message: /within 0.05 s/ });
  }
});

test("after the time is over nothing is read on, also of a body that heeds no signal", async () => {
  let [pulled, cancelled] = [0, 0];
  const dripping = async (controller) => {
    pulled += 1;
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (pulled < 100) controller.enqueue(new Uint8Array(10));
    else controller.close();
  };
  const fetch = async (url) => new Response(url.endsWith(KEYS) ? JSON.stringify(keySet()) : new ReadableStream({ pull: dripping, cancel: () => (cancelled += 1) }));
  await assert.rejects(createVerifier({ ...given, timeout: 0.05, fetch }), { code: "ERR_FETCH", message: /within 0.05 s/ });
  const then = pulled;
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual([pulled - then <= 1, cancelled], [true, 1]);
});

test("the caller's signal ends the creation, and with it both fetches", async () => {
  const asked = [];
  const deaf = (url, { signal }) => new Promise(() => asked.push([url, signal]));
  const controller = new AbortController();
  const creation = createVerifier({ ...given, fetch: deaf, signal: controller.signal });
  while (asked.length < 2) await new Promise(setImmediate);
  controller.abort(new Error("changed my mind"));
  await assert.rejects(creation, ({ code, message, cause }) => {
    assert.match(`${code} ${message} ${cause.message}`, /^ERR_FETCH .*: it was aborted changed my mind$/);
    return true;
  });
  assert.deepEqual(asked.map(([, signal]) => signal.aborted), [true, true]);
  await assert.rejects(createVerifier({ ...given, signal: controller.signal }), { code: "ERR_FETCH" });
});

test("when one document fails, the other one is no longer waited for", async () => {
  const asked = [];
  const halfDeaf = (url, { signal }) => {
    asked.push(signal);
    return url.endsWith(KEYS) ? Promise.reject(new TypeError("no network")) : new Promise(() => {});
  };
  await assert.rejects(createVerifier({ ...given, fetch: halfDeaf }), ({ code, cause }) => code === "ERR_FETCH" && cause.message === "no network");
  assert.deepEqual(asked.map((signal) => signal.aborted), [false, true]);
});

test("fetch is called without credentials, without following redirects and past the HTTP cache", async () => {
  const inits = [];
  const fetch = async (url, init) => {
    inits.push(init);
    return new Response(url.endsWith(KEYS) ? JSON.stringify(keySet()) : ourList());
  };
  await createVerifier({ ...given, fetch });
  for (const { signal, ...init } of inits) {
    assert.deepEqual(init, { method: "GET", redirect: "manual", cache: "no-cache", credentials: "omit" });
    assert.equal(signal.aborted, false);
  }
  assert.equal(inits.length, 2);
});

test("what was given is not fetched", async () => {
  const refuses = () => assert.fail("nothing is to be fetched");
  const verifier = await createVerifier({ ...given, keys: keySet(), revocations: null, fetch: refuses });
  await assert.rejects(verifier.refresh(), UsageError);
});

test("a failed refresh keeps keys and list, and an older list changes nothing", async () => {
  healthy({ seq: 5, revoked: placeOf(ours()) });
  const verifier = await createVerifier(given);
  const before = verifier.status;
  const broken = [
    [sends("", 500), sends("", 500), FetchError],
    [sends("{}"), sends("list"), KeySetError],
    [sends(JSON.stringify(keySet())), sends(ourList({ seq: 6, key: tokenKey })), ListError],
    [sends(JSON.stringify(keySet())), sends(ourList({ seq: 5, exp: NOW + 301 })), ListError],
  ];
  for (const [keys, revocations, Kind] of broken) {
    Object.assign(answers, { [KEYS]: keys, [LIST]: revocations });
    await assert.rejects(verifier.refresh(), (error) => error instanceof Kind);
    assert.deepEqual(verifier.status, before);
  }
  healthy({ seq: 4 });
  await verifier.refresh();
  assert.deepEqual(verifier.status, before);
  assert.throws(() => verifier.verify(ours()), { code: "ERR_TOKEN_REVOKED" });
});

test("each document is put to use though the other one fails", async () => {
  healthy();
  const verifier = await createVerifier(given);
  healthy({ seq: 2 });
  answers[KEYS] = sends("", 503);
  await assert.rejects(verifier.refresh(), { code: "ERR_FETCH", status: 503 });
  assert.equal(verifier.status.seq, 2);
  const next = keyOf(3, "token");
  answers[KEYS] = sends(JSON.stringify(keySet(next, listKey)));
  answers[LIST] = sends("", 503);
  await assert.rejects(verifier.refresh(), { code: "ERR_FETCH" });
  assert.deepEqual(verifier.status.keys, [next.kid, listKey.kid]);
  assert.throws(() => verifier.verify(ours()), { code: "ERR_JWKS_NO_MATCHING_KEY" });
});

test("a list may be signed by a key that comes with it", async () => {
  healthy();
  const verifier = await createVerifier(given);
  const next = keyOf(4, "revocations");
  answers[KEYS] = sends(JSON.stringify(keySet(tokenKey, next)));
  answers[LIST] = sends(ourList({ seq: 2, key: next }));
  await verifier.refresh();
  assert.equal(verifier.status.seq, 2);
});

test("of two refreshes at once the one begun later decides the keys, in whichever order they are answered", async () => {
  healthy();
  const held = [];
  const fetch = (url) => new Promise((resolve) => held.push([url, resolve]));
  const creation = createVerifier({ ...given, revocations: null, fetch });
  held.shift()[1](new Response(JSON.stringify(keySet())));
  const verifier = await creation;
  const [first, second] = [verifier.refresh(), verifier.refresh()];
  const next = keyOf(5, "token");
  held[1][1](new Response(JSON.stringify(keySet(next))));
  await second;
  held[0][1](new Response(JSON.stringify(keySet())));
  await first;
  assert.deepEqual(verifier.status.keys, [next.kid]);
});

test("a refresh is ended by its own signal", async () => {
  healthy();
  const verifier = await createVerifier(given);
  answers[KEYS] = () => {};
  const controller = new AbortController();
  const refresh = verifier.refresh({ signal: controller.signal });
  controller.abort();
  await assert.rejects(refresh, { code: "ERR_FETCH", message: /aborted/ });
  assert.ok(verifier.verify(ours()));
});

test("an answer that arrives after closing changes nothing", async () => {
  let answer;
  const fetch = () => new Promise((resolve) => (answer = resolve));
  const creation = createVerifier({ ...given, revocations: null, fetch });
  answer(new Response(JSON.stringify(keySet())));
  const verifier = await creation;
  const refresh = verifier.refresh();
  answer(new Response(JSON.stringify(keySet())));
  verifier.close();
  await assert.rejects(refresh, UsageError);
  assert.throws(() => verifier.status, UsageError);
});
