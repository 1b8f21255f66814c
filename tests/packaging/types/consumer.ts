// What TypeScript must accept and refuse. Each line below a "@ts-expect-error" is one that must not compile.
import {
  type AccessClaims,
  type Claims,
  createVerifier,
  FetchError,
  KeySetError,
  ListError,
  type RefusalBody,
  UsageError,
  VerificationError,
  type VerificationErrorCode,
  type Store,
  type Verifier,
  type VerifierEvent,
  type VerifierOptions,
  type VerifierStatus,
} from "countersign";
import { cacheStore } from "countersign/stores/cache";
import { fileStore } from "countersign/stores/file";
import { indexedDbStore } from "countersign/stores/indexed-db";
import { kvStore } from "countersign/stores/kv";

interface Own {
  tenant: string;
  limits: { perDay: number };
}

declare const token: string;
declare const bytes: Uint8Array;

// Options
const least: VerifierOptions = { issuer: "https://issuer.example", audience: "api" };
const most: VerifierOptions = {
  issuer: null,
  audience: ["api", "admin"] as const,
  keys: { keys: [{ kty: "OKP", crv: "Ed25519", x: "", kid: "", alg: "EdDSA" }] },
  revocations: bytes,
  leeway: 0,
  scope: "a b",
  maxStaleness: 60,
  now: () => 0,
  timeout: 1,
  follow: false,
  pollInterval: 0.5,
  cache: 100,
  store: { load: async () => undefined, save: async (saved: Uint8Array) => void saved },
};
createVerifier({ ...least, keys: "{}", revocations: null });
createVerifier({ ...least, keys: bytes, revocations: bytes.buffer as ArrayBuffer });
// @ts-expect-error the audience must be given
createVerifier({ issuer: "https://issuer.example" });
// @ts-expect-error the issuer must be given
createVerifier({ audience: "api" });
// @ts-expect-error undefined is not null on purpose
createVerifier({ issuer: undefined, audience: "api" });
// @ts-expect-error there is no such option
createVerifier({ ...least, audiences: ["api"] });
// @ts-expect-error a list is bytes
createVerifier({ ...least, revocations: "list" });
createVerifier({ ...least, cache: false });
// What may be left out may also be undefined, as what is handed on from elsewhere is.
declare const absent: undefined;
const spared: Required<{ [Name in Exclude<keyof VerifierOptions, "issuer" | "audience">]: undefined }> = {
  keys: absent, revocations: absent, leeway: absent, scope: absent, cache: absent, maxStaleness: absent, now: absent, fetch: absent,
  timeout: absent, signal: absent, follow: absent, pollInterval: absent, store: absent,
};
createVerifier({ ...least, ...spared });
// @ts-expect-error on purpose there is only false
createVerifier({ ...least, cache: true });
// @ts-expect-error options are needed
createVerifier();

// Claims
const verifier: Verifier = await createVerifier(most);
const plain: Claims = verifier.verify(token);
const subject: string = plain.sub;
const expiry: number = plain.exp;
const audience: string | readonly string[] = plain.aud;
const roles: readonly string[] | undefined = plain.roles;
const unknownClaim: unknown = plain.tenant;
// @ts-expect-error a claim that nobody vouches for has no type
const untyped: string = plain.tenant;
// @ts-expect-error a session may be absent
const session: string = plain.sid;
// @ts-expect-error claims are frozen
plain.sub = "else";
// @ts-expect-error and what is in them too
plain.roles?.push("admin");

const own = verifier.verify<Own>(token);
const tenant: string = own.tenant;
const perDay: number = own.limits.perDay;
const access: AccessClaims = own;
// @ts-expect-error there is no such own claim
own.team;
// @ts-expect-error own claims are frozen as well
own.tenant = "else";
// @ts-expect-error own claims are an object
verifier.verify<string>(token);
// @ts-expect-error a token is a string
verifier.verify(undefined);
// @ts-expect-error verification is synchronous
verifier.verify(token).then(() => {});
verifier.verify(token, { scope: "a", now: 0 });
verifier.verify(token, { scope: undefined, now: undefined });
// @ts-expect-error there is no such option
verifier.verify(token, { leeway: 5 });

// Several at once
for (const { claims, error } of verifier.verifyMany<Own>([token], { scope: "a" })) {
  const each: string | undefined = claims?.tenant ?? error?.code;
  // @ts-expect-error a verdict may be a refusal
  claims.sub;
  if (error === undefined) claims.limits.perDay satisfies number;
}
// @ts-expect-error one token is no array
verifier.verifyMany(token);

// Requests
const request = { headers: { get: (name: string): string | null => name } };
const result = verifier.authenticate<Own>(request, { cookie: "at", realm: "api", scope: "a" });
if (result.ok) {
  const claimed: number = result.claims.limits.perDay;
  // @ts-expect-error a request that is let in has no answer yet
  result.response.status;
} else {
  const response: unknown = result.response;
  const why: VerificationErrorCode | undefined = result.error?.code;
  // @ts-expect-error a request that is turned away has no claims
  result.claims.sub;
}
verifier.authenticate(request, { cookie: undefined, realm: undefined, scope: undefined });
const { ok, claims, response } = verifier.authenticate(request);
if (ok) claims.sub;
// @ts-expect-error without knowing that it was let in there may be no claims
claims.sub;
// @ts-expect-error this is no request of the Fetch API
verifier.authenticate({ headers: { authorization: "Bearer x" } });

declare const body: RefusalBody;
const renewable: boolean = body.code === "ERR_JWT_EXPIRED";
// @ts-expect-error the claim is not told
body.claim;

// The rest
const nothing: Promise<void> = verifier.refresh();
const status: VerifierStatus = verifier.status;
const seq: number | null = status.seq;
const nothingElse: Promise<void> = verifier.refresh({ ifOlderThan: 1 });
verifier.refresh({ ifOlderThan: undefined, signal: undefined });
const transport: "stream" | "poll" | "none" = status.transport;
const moments: (number | null)[] = [status.age, status.usableUntil, status.lastContact, status.rules];
const stale: boolean = status.stale;
// @ts-expect-error the status is a report
verifier.status = status;
verifier.close();

// Events
verifier.addEventListener("revoked", ({ detail }) => detail.seq + detail.entries + detail.added);
verifier.addEventListener("alarm", { handleEvent: ({ detail }) => detail.error.code === "ERR_REVLIST_FUTURE" }, { once: true });
const onStale = (event: VerifierEvent<"stale">): number | null => event.detail.usableUntil;
verifier.addEventListener("stale", onStale);
verifier.removeEventListener("stale", onStale);
// @ts-expect-error there is no such event
verifier.addEventListener("refreshed", () => {});
// @ts-expect-error an alarm has an error and no number
verifier.addEventListener("alarm", ({ detail }) => detail.seq);

// Stores
const stores: Store[] = [indexedDbStore(), indexedDbStore({ key: "a" }), cacheStore({ url: "https://a.invalid/" }), fileStore("state")];
stores.push(indexedDbStore({ database: undefined, key: undefined }), cacheStore({ cache: undefined, url: undefined }));
declare const namespace: { get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>; put(key: string, value: ArrayBufferView): Promise<void> };
stores.push(kvStore(namespace, { key: "state" }));
// @ts-expect-error a file has a path
fileStore();
// @ts-expect-error a store must be able to save
createVerifier({ ...least, store: { load: async () => undefined } });

// Errors
function told(error: unknown): string | undefined {
  if (error instanceof VerificationError) {
    switch (error.code) {
      case "ERR_TOKEN_REVOKED":
      case "ERR_JWT_EXPIRED":
        return error.claim;
      // @ts-expect-error there is no such code
      case "ERR_EXPIRED":
        return error.reason;
    }
  }
  if (error instanceof UsageError) return (error satisfies TypeError).code;
  if (error instanceof FetchError) return `${error.url} ${error.status} ${error.cause}`;
  if (error instanceof KeySetError || error instanceof ListError) return error.reason;
  return undefined;
}
// @ts-expect-error errors are thrown by the package, not made by others
new VerificationError();

export { nothingElse, renewable, transport, moments, stale, stores, audience, access, expiry, nothing, perDay, roles, seq, subject, tenant, told, unknownClaim, untyped, session, ok, response };
