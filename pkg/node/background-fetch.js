/**
 * The part of `fetch` that following needs, over node:http: what is under way keeps no program from ending, which the
 * global `fetch` of Node, Deno and Bun does.
 */
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";

/** Of its own, so that no socket of the program's is let go of. */
const agents = { "http:": new HttpAgent({ keepAlive: true }), "https:": new HttpsAgent({ keepAlive: true }) };
/** Statuses with which a Response has no body (fetch standard, section 2.2.3). */
const WITHOUT_BODY = [204, 205, 304];

/** Resolves with the answer to a GET; follows no redirect, and asks for no content coding. */
export function backgroundFetch(url, { headers, signal }) {
  return new Promise((resolve, reject) => {
    const { protocol } = new URL(url);
    const request = protocol === "https:" ? httpsRequest : httpRequest;
    const sent = request(url, { headers, signal, agent: agents[protocol] });
    sent.on("socket", (socket) => socket.unref());
    sent.on("error", reject);
    sent.on("response", (message) => {
      const { statusCode: status } = message;
      const init = { status, headers: Object.entries(message.headersDistinct).flatMap(([name, values]) => values.map((value) => [name, value])) };
      if (!WITHOUT_BODY.includes(status)) return resolve(new Response(Readable.toWeb(message), init));
      message.resume();
      resolve(new Response(null, init));
    });
    sent.end();
  });
}
