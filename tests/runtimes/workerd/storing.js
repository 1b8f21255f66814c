/** A worker that begins with what is stored in Workers KV, and keeps it up to date. */
import { createVerifier, VerificationError } from "countersign";
import { kvStore } from "countersign/stores/kv";

let verifier;

export default {
  async fetch(request, env) {
    const path = new URL(request.url).pathname;
    if (path === "/follow") return createVerifier({ issuer: env.ISSUER, audience: "api", follow: true }).catch(({ code, message }) => Response.json({ code, message }));
    const said = {};
    try {
      verifier ??= await createVerifier({ issuer: env.ISSUER, audience: "api", store: kvStore(env.KV) });
      if (path === "/refresh") await verifier.refresh({ ifOlderThan: 0.2 });
    } catch ({ code }) {
      said.failure = code;
    }
    if (verifier === undefined) return Response.json(said);
    try {
      said.sub = verifier.verify(request.headers.get("authorization").slice("Bearer ".length)).sub;
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      said.code = error.code;
    }
    return Response.json({ ...said, seq: verifier.status.seq, storeError: verifier.status.storeError && String(verifier.status.storeError) });
  },
};
