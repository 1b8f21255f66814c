/** A worker whose every request begins with what keeps its verifier up to date: nothing goes on between requests. */
import { createVerifier } from "countersign";

let verifier;

export default {
  async fetch(request, env) {
    verifier ??= await createVerifier({ issuer: env.ISSUER, audience: "api" });
    await verifier.refresh({ ifOlderThan: 1 }).catch(() => {}); // goes on with what it has
    const tokens = await request.json();
    return Response.json({ found: tokens.map(verdict), status: verifier.status });
  },
};

function verdict(token) {
  try {
    verifier.verify(token);
    return "accepted";
  } catch ({ code, message }) {
    return code ?? message;
  }
}
