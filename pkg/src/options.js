/**
 * Options become settings here, or a UsageError that names the option; nothing after this looks at options again.
 */
import { UsageError } from "./errors.js";
import { platform } from "./platform.js";

/** The last second of the year 9999; a time in milliseconds lies beyond it. */
const MAX_TIME_SECONDS = 253_402_300_799;
const MAX_LEEWAY_SECONDS = 60;
const MAX_TIMEOUT_SECONDS = 300;
const MAX_POLL_SECONDS = 3600;
const MAX_CACHE_SIZE = 65_536;
const MAX_SCOPE_LENGTH = 8192;
// RFC 6749 §3.3
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;
// RFC 6265 §4.1.1: a cookie's name is a token of RFC 9110 §5.6.2
const COOKIE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// RFC 9110 §5.6.4, without obs-text: header values are ASCII here
const QUOTABLE = /^[\t\x20-\x7e]*$/;
/** No options. Nothing is read from Object.prototype, here and in `known`: what somebody put there is no option. */
const NONE = { __proto__: null };

/** Returns the settings of a verifier. */
export function verifierSettings(options) {
  const given = known(options, "createVerifier", [
    "audience", "cache", "fetch", "follow", "issuer", "keys", "leeway", "maxStaleness", "now", "pollInterval", "revocations", "scope",
    "signal", "store", "timeout",
  ]);
  const settings = {
    issuer: issuer(given.issuer),
    audience: audience(given.audience),
    leeway: integer(given.leeway === undefined ? 5 : given.leeway, "leeway", 0, MAX_LEEWAY_SECONDS),
    maxStaleness: given.maxStaleness === undefined ? undefined : integer(given.maxStaleness, "maxStaleness", 0, MAX_TIME_SECONDS),
    scope: scope(given.scope),
    keys: keys(given.keys),
    fetchesKeys: given.keys === undefined,
    revocations: revocations(given.revocations),
    fetchesRevocations: given.revocations === undefined,
    now: callable(given.now, "now") ?? systemTime,
    fetch: callable(given.fetch, "fetch"),
    timeoutMillis: 1000 * duration(given.timeout === undefined ? 5 : given.timeout, "timeout", MAX_TIMEOUT_SECONDS),
    signal: signal(given.signal),
    cacheSize: cacheSize(given.cache),
    pollMillis: 1000 * duration(given.pollInterval === undefined ? 5 : given.pollInterval, "pollInterval", MAX_POLL_SECONDS),
    store: store(given.store),
  };
  const fetches = settings.fetchesKeys || settings.fetchesRevocations;
  if (fetches && !isAddress(settings.issuer)) {
    throw new UsageError('"issuer" must be an http or https URL to fetch from, unless both "keys" and "revocations" are given');
  }
  if (settings.store !== undefined && !fetches) throw new UsageError('with a "store", "keys" or "revocations" must be left to be fetched');
  return { ...settings, follow: follow(given.follow, fetches) };
}

/** Returns the settings of one verification, or of several at once. */
export function verifySettings(options, verb) {
  if (options === undefined) return NONE;
  const given = known(options, verb, ["now", "scope"]);
  return { scope: callScope(given.scope), now: given.now === undefined ? undefined : seconds(given.now) };
}

/** Returns the settings of one refresh. */
export function refreshSettings(options) {
  if (options === undefined) return NONE;
  const given = known(options, "refresh", ["ifOlderThan", "signal"]);
  const { ifOlderThan } = given;
  if (ifOlderThan !== undefined && !(typeof ifOlderThan === "number" && ifOlderThan >= 0 && ifOlderThan <= MAX_TIME_SECONDS)) {
    throw new UsageError('"ifOlderThan" must be a number of seconds');
  }
  return { signal: signal(given.signal), olderThanMillis: ifOlderThan === undefined ? undefined : ifOlderThan * 1000 };
}

/** Returns the settings of one authentication. */
export function authenticateSettings(options) {
  if (options === undefined) return NONE;
  const given = known(options, "authenticate", ["cookie", "realm", "scope"]);
  if (given.cookie !== undefined && !(typeof given.cookie === "string" && COOKIE_NAME.test(given.cookie))) {
    throw new UsageError('"cookie" must be the name of a cookie');
  }
  if (given.realm !== undefined && !(typeof given.realm === "string" && QUOTABLE.test(given.realm))) {
    throw new UsageError('"realm" must be a string of printable ASCII');
  }
  return { cookie: given.cookie, realm: given.realm, scope: callScope(given.scope) };
}

/** Returns the time in whole seconds; a fraction is dropped, which moves no verdict: the claims are whole seconds. */
export function seconds(value) {
  if (typeof value === "number" && value >= 0 && value < MAX_TIME_SECONDS + 1) return Math.floor(value);
  throw new UsageError('"now" must be the time in seconds since 1970');
}

function systemTime() {
  return Date.now() / 1000;
}

function known(options, verb, names) {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new UsageError(`${verb} takes its options as an object`);
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw new UsageError(`${verb} has no option "${name}"`);
  }
  return { __proto__: null, ...options };
}

/** No lone surrogate: it would be compared as U+FFFD, which it is not. */
function isText(value) {
  return typeof value === "string" && value !== "" && !/[\ud800-\udfff]/u.test(value);
}

function issuer(value) {
  if (value === null || isText(value)) return value;
  throw new UsageError('"issuer" must be given: a string, or null to accept any issuer whose keys are given');
}

/** RFC 8414 section 2, and what `fetch` takes: paths are put behind it. Null is none. */
function isAddress(issuer) {
  return /^https?:\/\/[^/?#@]+(\/[^?#]*)?$/.test(issuer) && URL.canParse(issuer);
}

function audience(value) {
  if (value === null) return null;
  const list = typeof value === "string" ? [value] : Array.isArray(value) ? [...value] : []; // a copy has no gaps
  if (list.length > 0 && list.every(isText)) return list;
  throw new UsageError('"audience" must be given: a string, several, or null to accept a token for anyone');
}

function scope(value) {
  if (value === undefined) return undefined;
  if (typeof value === "string" && SCOPE.test(value)) return value;
  throw new UsageError('"scope" must be scope values with a single space between two (RFC 6749 section 3.3)');
}

/** No token holds more. */
function callScope(value) {
  if (typeof value === "string" && value.length > MAX_SCOPE_LENGTH) throw new UsageError(`"scope" must be at most ${MAX_SCOPE_LENGTH} characters`);
  return scope(value);
}

function cacheSize(value) {
  if (value === undefined) return platform.cacheSize;
  if (value === false) return 0;
  if (Number.isInteger(value) && value >= 1 && value <= MAX_CACHE_SIZE) return value;
  throw new UsageError(`"cache" must be false or a whole number of tokens from 1 to ${MAX_CACHE_SIZE}`);
}

function integer(value, name, least, most) {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UsageError(`"${name}" must be a whole number of seconds from ${least} to ${most}`);
}

function duration(value, name, most) {
  if (typeof value === "number" && value > 0 && value <= most) return value;
  throw new UsageError(`"${name}" must be a number of seconds above 0 and up to ${most}`);
}

function follow(value, fetches) {
  if (value === undefined) return platform.background && fetches;
  if (typeof value !== "boolean") throw new UsageError('"follow" must be true or false');
  if (value && !platform.background) throw new UsageError('"follow" is not possible in Workers: call refresh({ ifOlderThan: 1 }) in each request');
  if (value && !fetches) throw new UsageError('with "follow": true there is nothing to fetch: keys and revocations were given');
  return value;
}

function store(value) {
  if (value === undefined || (typeof value?.load === "function" && typeof value.save === "function")) return value;
  throw new UsageError('"store" must have the methods "load" and "save"');
}

function callable(value, name) {
  if (value === undefined || typeof value === "function") return value;
  throw new UsageError(`"${name}" must be a function`);
}

function signal(value) {
  if (value === undefined || (typeof value?.aborted === "boolean" && typeof value.addEventListener === "function")) return value;
  throw new UsageError('"signal" must be an AbortSignal');
}

/** Own bytes in each case: what the caller does with theirs afterwards changes nothing here. */
function keys(value) {
  if (value === undefined) return undefined;
  if (typeof value === "string") return new TextEncoder().encode(value);
  const bytes = copied(value);
  if (bytes !== undefined) return bytes;
  if (typeof value === "object" && value !== null) {
    try {
      return new TextEncoder().encode(JSON.stringify(value));
    } catch (cause) {
      throw new UsageError('"keys" cannot be written as JSON', { cause });
    }
  }
  throw new UsageError('"keys" must be a JWK Set: an object, its JSON as a string, or its bytes');
}

function revocations(value) {
  if (value === undefined || value === null) return value;
  const bytes = copied(value);
  if (bytes !== undefined) return bytes;
  throw new UsageError('"revocations" must be the bytes of a revocation list, or null to do without revocation');
}

function copied(value) {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  // By its tag, not instanceof: the buffer may come from another realm.
  if (Object.prototype.toString.call(value) === "[object ArrayBuffer]") return new Uint8Array(value).slice();
  return undefined;
}
