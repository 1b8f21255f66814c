/**
 * An issuer as verifiers see it, in memory: publishes lists and deltas, keeps them, and answers for each URL. It makes
 * no sockets, so that time can stand still; `answer` is for a server, or for a `fetch` of a test's own.
 */
import { delta, idOf, ISSUER, keySet, list, NOW, placeOf, token } from "./issuing.js";

export class Publisher {
  /** What the next publication holds besides indices and the number: `cut`, `key`, … */
  more = {};
  keys = keySet();
  /** In place of the right answer, by the last part of the path: "jwks.json", "revocations", "since", "events". */
  instead = {};
  /** What was asked for, as `instead` names it. */
  asked = [];
  #clock;
  #states = [];
  #followers = new Set();

  /** @param {{ iss?: string, now?: () => number, life?: number }} [settings] `life` of a list in seconds */
  constructor({ iss = ISSUER, now = () => NOW, life = 300 } = {}) {
    this.iss = iss;
    this.#clock = now;
    this.life = life;
    this.publish();
  }

  get newest() {
    return this.#states.at(-1);
  }

  state(seq) {
    return this.#states.find((state) => state.seq === seq);
  }

  /** Signs the state again, with these tokens revoked besides, and tells those that follow. */
  publish(...tokens) {
    const before = this.newest;
    const revoked = structuredClone(before?.revoked ?? {});
    for (const [epoch, [index]] of tokens.flatMap((text) => Object.entries(placeOf(text)))) {
      revoked[epoch] = [...new Set([...(revoked[epoch] ?? []), index])];
    }
    const iat = this.#clock();
    const state = { seq: (before?.seq ?? 0) + 1, revoked, iat, exp: iat + this.life, iss: this.iss, ...this.more };
    this.#states.push(state);
    if (before !== undefined) this.tell(`id: ${state.seq}\ndata: ${this.delta(before.seq)}\n\n`);
    return state;
  }

  /** The full list of this number. */
  list(seq = this.newest.seq) {
    return list(this.state(seq));
  }

  /** The delta from this number to that one. */
  delta(since, seq = this.newest.seq) {
    const [from, { revoked, ...to }] = [this.state(since), this.state(seq)];
    const add = {};
    for (const [epoch, indices] of Object.entries(revoked)) {
      const more = indices.filter((index) => !(from.revoked[epoch] ?? []).includes(index));
      if (more.length > 0) add[epoch] = more;
    }
    return delta({ ...to, add, base: idOf(from.revoked), id: idOf(revoked) });
  }

  /** Sends text to all that hold the stream open. */
  tell(text) {
    for (const send of this.#followers) send(text);
  }

  get followers() {
    return this.#followers.size;
  }

  /** Ends all streams. */
  hangUp() {
    for (const send of [...this.#followers]) send(undefined);
  }

  /** A token that holds now. */
  token(own) {
    const now = this.#clock();
    return token({ iss: this.iss, iat: now - 60, exp: now + 900, ...own });
  }

  /**
   * The answer for a path: its status, body, headers; a body that is a function gets what to send with, and returns
   * what is to be done when the other side has gone.
   */
  answer(path, headers = {}) {
    const [, first, second, third] = path.split("/");
    const name = first === ".well-known" ? second : (second ?? first);
    this.asked.push(name);
    if (this.instead[name] !== undefined) return this.instead[name](path);
    if (name === "jwks.json") return { status: 200, body: JSON.stringify(this.keys) };
    if (name === "revocations") return { status: 200, body: this.list() };
    if (name === "events") return this.#events(Number(headers["last-event-id"]));
    if (name !== "since") return { status: 404 };
    if (this.state(Number(third)) === undefined) return { status: 303, headers: { location: `${this.iss}/revocations` } };
    return { status: 200, body: this.delta(Number(third)), headers: { "content-type": "application/vnd.countersign.revdelta" } };
  }

  #events(since) {
    const { seq } = this.newest;
    const from = this.state(since) === undefined ? Math.max(1, seq - 1) : since;
    const body = (send) => {
      send(`id: ${seq}\ndata: ${this.delta(from, seq)}\n\n`);
      this.#followers.add(send);
      return () => this.#followers.delete(send);
    };
    return { status: 200, headers: { "content-type": "text/event-stream" }, body };
  }

  /** Answers a request of a node:http server, also from pages of other origins. */
  listener = async (request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    const { status, body, headers } = await this.answer(path, request.headers);
    response.writeHead(status, { "access-control-allow-origin": "*", ...headers });
    if (typeof body !== "function") return response.end(body);
    const ended = body((text) => (text === undefined ? response.end() : response.write(text)));
    response.on("close", ended);
  };

  /** As `fetch`, without a network. */
  fetch = async (url, { headers = {}, signal } = {}) => {
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const { status, body = null, headers: more } = await this.answer(new URL(url).pathname, lower);
    if (typeof body !== "function") return new Response(body, { status, headers: more });
    return new Response(streamed(body, signal), { status, headers: more });
  };
}

function streamed(body, signal) {
  let ended;
  return new ReadableStream({
    start(controller) {
      const send = (text) => {
        if (text !== undefined) return controller.enqueue(new TextEncoder().encode(text));
        ended?.();
        controller.close();
      };
      ended = body(send);
      signal?.addEventListener("abort", () => {
        ended();
        controller.error(signal.reason);
      });
    },
    cancel() {
      ended();
    },
  });
}
