/**
 * Verifies Countersign access tokens offline, revocation included.
 *
 * ```js
 * import { createVerifier } from "countersign";
 * const verifier = await createVerifier({ issuer: "https://login.example", audience: "api" });
 * const claims = verifier.verify(token); // synchronous; throws a VerificationError with a stable `code`
 * ```
 *
 * A verifier follows its issuer: a revocation reaches it by itself, by a stream of events, or by asking every few
 * seconds where there is none. In Workers, where nothing may go on between requests, `refresh` does so.
 */

/** The global type of this name where the project's libraries declare one; otherwise `unknown`. */
type Global<Name extends string> = typeof globalThis extends { [name in Name]: { prototype: infer Type } } ? Type : unknown;

/** What a verifier asks of tokens, and where its key set and revocation list come from. */
export interface VerifierOptions {
  /**
   * The `iss` that tokens and revocation lists must have, and the base of the URLs that are fetched. `null` accepts
   * any issuer whose keys are given, on purpose; `keys` and `revocations` must be given then. Where one of them is not,
   * this is an http or https URL without user, query or fragment.
   */
  issuer: string | null;
  /** Of these the token's `aud` must hold at least one. `null` accepts tokens for anyone, on purpose. */
  audience: string | readonly string[] | null;
  /**
   * The issuer's JWK Set: an object, its JSON, or the bytes of that. Up to 64 KiB.
   * When left out it is fetched from `<issuer>/.well-known/jwks.json`.
   */
  keys?: { readonly keys: readonly object[] } | string | ArrayBufferView | ArrayBuffer | undefined;
  /**
   * A revocation list of the issuer, up to 16 MiB, or `null` to do without revocation, on purpose.
   * When left out it is fetched from `<issuer>/revocations`.
   */
  revocations?: ArrayBufferView | ArrayBuffer | null | undefined;
  /** Seconds by which `exp` and `nbf` are relaxed, a whole number from 0 to 60. The default is 5. */
  leeway?: number | undefined;
  /** Scope values, with a single space between two, that every token must have. */
  scope?: string | undefined;
  /**
   * How many accepted tokens are remembered, 1 to 65536, so that judging one of them again costs no signature; `false` is
   * none. The default is 1024 in Node, Deno, Bun and Workers, and none in browsers. Each time such a token comes, time,
   * scope and revocation are judged again; once a key has changed, so is everything. It takes up to the length of the
   * token, its claims as an object, and a few hundred bytes each: with tokens of 500 bytes about 3 KB.
   */
  cache?: number | false | undefined;
  /** Seconds after it was signed during which a revocation list is used, where that ends before its own expiry. */
  maxStaleness?: number | undefined;
  /** Returns the time in seconds since 1970. The default reads the system's clock. */
  now?: (() => number) | undefined;
  /**
   * Fetches documents and the stream of events, as the global `fetch` does, which is the default. In Node, Deno and Bun the
   * default in the background is node:http, which keeps no program from ending, unless the program has replaced the global
   * `fetch` since the package was loaded, or set a dispatcher that is no plain Agent (`setGlobalDispatcher` of undici, `NODE_USE_ENV_PROXY`). What
   * goes by a `fetch` of the program's may keep it from ending until `close`. Behind a proxy give one, in doubt.
   */
  fetch?: Fetch | undefined;
  /** Seconds that one document may take to arrive whole, above 0 and up to 300. The default is 5. */
  timeout?: number | undefined;
  /** Ends the fetches of `createVerifier`, and nothing later: `refresh` has its own, and `close` ends following. */
  signal?: Global<"AbortSignal"> | undefined;
  /**
   * Whether what was fetched is kept up to date in the background until `close`. The default is true where anything is
   * fetched, and false in Workers, where it cannot be true.
   */
  follow?: boolean | undefined;
  /** Seconds between two questions while there is no stream, above 0 and up to 3600. The default is 5. */
  pollInterval?: number | undefined;
  /**
   * Keeps what the verifier knows. It is used at the next creation, without waiting for a network, after it has been
   * verified as if it had just been fetched; what does not hold is dropped, and told as `status.storeError`.
   *
   * One store is for one issuer. The key set in it is not signed: whoever can change the store is believed about keys.
   */
  store?: Store | undefined;
}

/** Keeps some bytes. The package brings four: `countersign/stores/indexed-db`, `/cache`, `/kv` and `/file`. */
export interface Store {
  /** Returns what was saved last, if anything was. */
  load(): Promise<Uint8Array | null | undefined>;
  /** Replaces what was saved before. It is not called again before it has settled, except in Workers. */
  save(bytes: Uint8Array): Promise<void>;
}

/** The part of the global `fetch` that this package uses. */
export type Fetch = (
  url: string,
  init: {
    method: "GET";
    redirect: "manual";
    signal: Global<"AbortSignal">;
    headers?: Record<string, string>;
    cache?: "no-cache" | "no-store";
    credentials?: "omit";
  },
) => Promise<Global<"Response">>;

/** What one verification asks for besides what the verifier asks for. */
export interface VerifyOptions {
  /** Further scope values, with a single space between two, that the token must have; up to 8192 characters. */
  scope?: string | undefined;
  /** The time in seconds since 1970, in place of the verifier's clock. */
  now?: number | undefined;
}

/** The claims of an access token (RFC 9068), as its issuer wrote them. */
export interface AccessClaims {
  /** Issuer. */
  readonly iss: string;
  /** Subject: whom the token speaks for. */
  readonly sub: string;
  /** Audience: for whom the token is meant. */
  readonly aud: string | readonly string[];
  /** The client that asked for the token. */
  readonly client_id: string;
  /** When it was issued, in seconds since 1970. */
  readonly iat: number;
  /** The first second at which it is no longer valid, leeway aside. */
  readonly exp: number;
  /** The first second at which it is valid. */
  readonly nbf?: number;
  /** Identifier of the token; from a Countersign issuer also its place in the revocation list. */
  readonly jti: string;
  /** Session; always there when revocations are asked for. */
  readonly sid?: string;
  /** Scope values between single spaces. */
  readonly scope?: string;
  /** Roles of the subject. */
  readonly roles?: readonly string[];
  /** Permissions of the subject. */
  readonly permissions?: readonly string[];
  /** When the subject last authenticated, in seconds since 1970. */
  readonly auth_time?: number;
}

/** The verdict on one of several tokens. */
export type Verdict<Own extends object = Record<string, unknown>> =
  | { readonly claims: Claims<Own>; readonly error?: undefined }
  | { readonly claims?: undefined; readonly error: VerificationError };

/** The claims of a verified token together with those of your own, whose types you vouch for. */
export type Claims<Own extends object = Record<string, unknown>> = AccessClaims & Readonly<Own>;

/** What `authenticate` asks of a request. */
export interface AuthenticateOptions {
  /** Further scope values, with a single space between two, that the token must have. */
  scope?: string | undefined;
  /**
   * Name of a cookie that may carry the token in place of the `Authorization` header. A browser sends cookies on its
   * own: protect requests that change something against forgery from other sites.
   */
  cookie?: string | undefined;
  /** The `realm` of the challenge in a 401 or 403, printable ASCII. */
  realm?: string | undefined;
}

/** What whoever asked reads in the answer of {@link Verifier.authenticate} to a request that is not let in. */
export interface RefusalBody {
  /** As RFC 6750 section 3.1 has it; `temporarily_unavailable` with the status 503. */
  readonly error: "invalid_request" | "invalid_token" | "insufficient_scope" | "temporarily_unavailable";
  /** For people. */
  readonly error_description: string;
  /** Why the token was refused; absent when none was judged. After `ERR_JWT_EXPIRED` a refresh helps. */
  readonly code?: VerificationErrorCode;
  /** With `insufficient_scope`: every scope value that is asked for. */
  readonly scope?: string;
}

/** A request with a token that holds, or the answer to be sent. */
export type Authentication<Own extends object = Record<string, unknown>> =
  | { readonly ok: true; readonly claims: Claims<Own>; readonly response?: undefined; readonly error?: undefined }
  | {
      readonly ok: false;
      readonly claims?: undefined;
      /**
       * 401 without or with an invalid token, 403 when it lacks a scope, 400 when the request is ambiguous or
       * malformed (RFC 6750), 503 with `Retry-After` when the revocation list is too old to tell. Its body is a
       * {@link RefusalBody} as JSON; where there was no token, there is none.
       */
      readonly response: Global<"Response">;
      /** Why the token was refused; absent when there was none to judge. */
      readonly error?: VerificationError | undefined;
    };

/** What a verifier knows, and from when. Times are in seconds since 1970, by the verifier's clock where they are its own. */
export interface VerifierStatus {
  /** Number of the revocation list in use; `null` while there is none, as everything else about it. */
  readonly seq: number | null;
  /** When it was signed. */
  readonly issuedAt: number | null;
  /** The first second at which it says nothing any more. */
  readonly expiresAt: number | null;
  /** The same with `maxStaleness` considered: from then on tokens are refused as `ERR_STATUS_STALE`. */
  readonly usableUntil: number | null;
  /** Seconds since it was signed. */
  readonly age: number | null;
  /** Whether tokens are refused because the list is too old, or there is none and one is asked for. */
  readonly stale: boolean;
  /** Its length in bytes, as a full list. */
  readonly bytes: number | null;
  /** Tokens that it revokes one by one. */
  readonly entries: number | null;
  /** Rules by which it revokes tokens without naming them. */
  readonly rules: number | null;
  /** `kid` of each key in use. */
  readonly keys: readonly string[];
  /** How news arrive: pushed by the issuer, asked for every few seconds, or not by themselves. */
  readonly transport: "stream" | "poll" | "none";
  /** When the issuer last told what it holds to be newest; `null` before. */
  readonly lastContact: number | null;
  /** Why the last attempt to keep up to date in the background failed; `null` when it did not. */
  readonly lastError: unknown;
  /** Why the last save failed, or why what the store held at the beginning was not used; `null` when neither is so. */
  readonly storeError: unknown;
}

/** What a verifier tells by events, at the moment it happens; without following, at the moment it is noticed. */
export interface VerifierEvents {
  /** The list revokes more than before, or may: of a full list it is only known that it differs. */
  revoked: {
    readonly seq: number;
    /** Tokens that it revokes one by one. */
    readonly entries: number;
    /** How many more that is than before. Some may be new beyond that, where others are over and have dropped out. */
    readonly added: number;
  };
  /** The list has become too old: every token is refused as `ERR_STATUS_STALE` until `recovered`. */
  stale: { readonly seq: number | null; readonly usableUntil: number | null };
  /** There is a list that is not too old again. */
  recovered: { readonly seq: number; readonly usableUntil: number };
  /** The issuer contradicts itself, or the clock here or there is wrong by a day: a person should look. */
  alarm: { readonly error: ListError };
}

/** An Event of the platform with a `detail`. */
export type VerifierEvent<Type extends keyof VerifierEvents> = Global<"Event"> & {
  readonly type: Type;
  readonly target: unknown;
  readonly detail: VerifierEvents[Type];
};

/** A function or an object with `handleEvent`. What it throws is written to the console and harms nobody. */
export type VerifierListener<Type extends keyof VerifierEvents> =
  | ((event: VerifierEvent<Type>) => void)
  | { handleEvent(event: VerifierEvent<Type>): void };

/** Judges the access tokens of one issuer. Made by {@link createVerifier}. An EventTarget of the platform. */
export interface Verifier {
  /** What the verifier knows at this moment. */
  readonly status: VerifierStatus;
  /**
   * Returns the claims of a token that holds, as an object that is frozen throughout: of a token that is remembered (see
   * the option `cache`) the same each time.
   *
   * @throws {VerificationError} The token is refused.
   * @throws {UsageError} The token is no string, an option makes no sense, or the verifier has been closed.
   */
  verify<Own extends object = Record<string, unknown>>(token: string, options?: VerifyOptions): Claims<Own>;
  /**
   * Judges several tokens, faster than one by one, and returns a verdict on each, in order: what {@link verify} returns
   * or throws. It neither asks for what is remembered nor adds to it.
   *
   * @throws {UsageError} There is no array, not each member is a string, an option makes no sense, or the verifier has been closed.
   */
  verifyMany<Own extends object = Record<string, unknown>>(tokens: readonly string[], options?: VerifyOptions): Verdict<Own>[];
  /**
   * Judges the token of a request, and makes the answer for when there is none that holds. It does no I/O.
   *
   * @param request A Request of the Fetch API, or anything with its `headers`.
   * @throws {UsageError} An option makes no sense, or the verifier has been closed.
   */
  authenticate<Own extends object = Record<string, unknown>>(
    request: { readonly headers: { get(name: string): string | null } },
    options?: AuthenticateOptions,
  ): Authentication<Own>;
  /**
   * Fetches again what was fetched at the start: key set, revocation list, or both.
   *
   * Each is put to use if it arrives and holds, whatever becomes of the other. An older list is ignored. On failure
   * the verifier goes on with what it has.
   *
   * With `ifOlderThan` only what is due is fetched, and of the list no more than has changed: the list when it was last
   * found to be the newest that many seconds ago or before, or is too old, the keys every five minutes and, at most every
   * 30 seconds, after a token or a list named one that is not there. It returns at once when nothing is due, when another
   * call is fetching the same since less than `ifOlderThan`, and for a moment (at most 5 s) after a failure, or after a
   * list that is too old itself. A call that is ended by its `signal` is no failure, unless that was a timeout
   * (`AbortSignal.timeout`): the next one fetches what is due. No call waits for another one's fetch, so that in Workers
   * each request can begin with it. 0 fetches in each case.
   *
   * @throws {FetchError} A document could not be fetched.
   * @throws {KeySetError} The key set was refused.
   * @throws {ListError} The revocation list was refused.
   * @throws {UsageError} There is nothing to fetch, or the verifier has been closed.
   */
  refresh(options?: { signal?: Global<"AbortSignal"> | undefined; ifOlderThan?: number | undefined }): Promise<void>;
  /**
   * Ends following and gives back memory; a store is handed what has changed, which is not waited for, and not in Workers.
   * Every later call but this one throws a {@link UsageError}; a refresh under way is rejected with one as soon as its
   * answers are in, or ended by its own signal.
   */
  close(): void;
  /** As an EventTarget has it. */
  addEventListener<Type extends keyof VerifierEvents>(
    type: Type,
    listener: VerifierListener<Type> | null,
    options?: boolean | { capture?: boolean; once?: boolean; passive?: boolean; signal?: Global<"AbortSignal"> },
  ): void;
  /** As an EventTarget has it. */
  removeEventListener<Type extends keyof VerifierEvents>(
    type: Type,
    listener: VerifierListener<Type> | null,
    options?: boolean | { capture?: boolean },
  ): void;
  /** As an EventTarget has it; what is dispatched by others says nothing of the verifier. */
  dispatchEvent(event: Global<"Event">): boolean;
}

/**
 * Returns a verifier that is ready to judge tokens: at once when its store holds a list that is not too old, otherwise
 * as soon as what is needed has been fetched. If that fails while the store holds a list that is too old, the verifier
 * refuses every token until it has reached the issuer.
 *
 * @throws {UsageError} An option is unknown or makes no sense.
 * @throws {FetchError} A document, or in browsers the WebAssembly module, could not be fetched.
 * @throws {KeySetError} The key set was refused.
 * @throws {ListError} The revocation list was refused.
 */
export function createVerifier(options: VerifierOptions): Promise<Verifier>;

/** Why a token is refused. Where jose has a code of the same meaning, it is jose's. */
export type VerificationErrorCode =
  | "ERR_JWS_INVALID"
  | "ERR_JOSE_ALG_NOT_ALLOWED"
  | "ERR_JWKS_NO_MATCHING_KEY"
  | "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"
  | "ERR_JWT_INVALID"
  | "ERR_JWT_CLAIM_VALIDATION_FAILED"
  | "ERR_JWT_EXPIRED"
  | "ERR_TOKEN_REVOKED"
  | "ERR_STATUS_STALE"
  | "ERR_STATUS_MISSING";

/** A token was refused. Its message holds nothing of the token. */
export class VerificationError extends Error {
  private constructor();
  /** Stable. */
  readonly code: VerificationErrorCode;
  /** The claim that was refused, where one was. */
  readonly claim: string | undefined;
  /** A stable word that narrows the code, where one does. */
  readonly reason: string | undefined;
}

/** The package was used in a way it does not offer; no token, key set or list can cause this. */
export class UsageError extends TypeError {
  private constructor();
  /** Stable. */
  readonly code: "ERR_USAGE";
}

/** Something could not be fetched: no answer, an answer other than 200, too long, or too late. */
export class FetchError extends Error {
  private constructor();
  /** Stable. */
  readonly code: "ERR_FETCH";
  /** What was to be fetched. */
  readonly url: string;
  /** The status of the answer, where there was one. */
  readonly status: number | undefined;
  /** Seconds after which the issuer asks to be asked again, where it said so. */
  readonly retryAfter: number | undefined;
  /** What the failure came from, where it has a cause. */
  readonly cause?: unknown;
}

/** A JWK Set was refused whole; the set used until then stays in use. */
export class KeySetError extends Error {
  private constructor();
  /** Stable. */
  readonly code: "ERR_JWKS_INVALID";
  /** A stable word that narrows the code. */
  readonly reason: string;
}

/** A revocation list was refused; the list used until then stays in use. */
export class ListError extends Error {
  private constructor();
  /** Stable. The last two are alarms: the issuer's clock or key, not the network, is at fault. */
  readonly code: "ERR_REVLIST_INVALID" | "ERR_REVLIST_FUTURE" | "ERR_REVLIST_EQUIVOCATION";
  /** A stable word that narrows the code. */
  readonly reason: string;
}
