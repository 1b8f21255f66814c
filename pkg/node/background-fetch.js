/**
 * The part of `fetch` that following needs, over node:http: what is under way keeps no program from ending, which the
 * global `fetch` of Node, Deno and Bun does. Where the program has changed that one, by a proxy say, following goes its way.
 */
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";

/** Of its own, so that no socket of the program's is let go of. */
const agents = { "http:": new HttpAgent({ keepAlive: true }), "https:": new HttpsAgent({ keepAlive: true }) };
/** Statuses with which a Response has no body (fetch standard, section 2.2.3). */
const WITHOUT_BODY = [204, 205, 304];

/** What `fetch` is unless the program replaces it; one that it replaced before this is not told from it. */
const builtIn = globalThis.fetch;
/** Where undici, and so Node, keeps what `fetch` sends by: by the newer name first, which the older one may wrap. */
const DISPATCHERS = [Symbol.for("undici.globalDispatcher.2"), Symbol.for("undici.globalDispatcher.1")];

/** Fetches as {@link backgroundFetch} does, or by the global `fetch` where the program has changed it. */
export function fetchInBackground(url, init) {
  return isChanged() ? globalThis.fetch(url, init) : backgroundFetch(url, init);
}

/** Node's own dispatcher is an Agent; ProxyAgent, EnvHttpProxyAgent or MockAgent is what somebody has set. */
function isChanged() {
  const dispatcher = globalThis[DISPATCHERS.find((name) => globalThis[name] !== undefined)];
  return globalThis.fetch !== builtIn || (dispatcher !== undefined && dispatcher.constructor.name !== "Agent");
}

/** Resolves with the answer to a GET; follows no redirect, and asks for no content coding. */
export function backgroundFetch(url, { headers, signal }) {
  return new Promise((resolve, reject) => {
    const { protocol } = new URL(url);
    const request = protocol === "https:" ? httpsRequest : httpRequest;
    const sent = request(url, { headers, signal, agent: agents[protocol] });
    sent.on("socket", (socket) => socket.unref());
    sent.on("error", reject);
    sent.on("close", () => reject(new Error("the connection ended without an answer"))); // by an upgrade, say; after an answer nothing
    sent.on("response", (message) => {
      // What a listener throws ends the process, and there are answers that no Response can hold: one of status 999, say.
      try {
        resolve(responseOf(message));
      } catch (error) {
        reject(error);
        sent.destroy();
      }
    });
    sent.end();
  });
}

function responseOf(message) {
  const { statusCode: status } = message;
  const init = { status, headers: Object.entries(message.headersDistinct).flatMap(([name, values]) => values.map((value) => [name, value])) };
  if (!WITHOUT_BODY.includes(status)) return new Response(Readable.toWeb(message), init);
  message.resume();
  return new Response(null, init);
}
