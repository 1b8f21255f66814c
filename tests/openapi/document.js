/**
 * docs/openapi.json, and whether an answer of the daemon is one that it describes: its status for the method at the path, its
 * media type, its body by the schema, without members that the schema lacks. The same as tests/src/document.rs.
 */
import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";

const root = JSON.parse(readFileSync(new URL("../../docs/openapi.json", import.meta.url), "utf8"));
close(root);

const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema(root, "openapi");

/**
 * Throws unless the document describes this answer.
 *
 * @param {string} method
 * @param {string} path as sent; a query is not looked at
 * @param {{status: number, headers: Headers, body?: string}} answer without `body` where it was not read
 */
export function expectDescribed(method, path, answer) {
  const fault = faultOf(method, path.split(/[?#]/)[0], answer);
  if (fault !== null) throw new Error(`${method} ${path}: docs/openapi.json has no such answer: ${fault}`);
}

/** `fetch`, for answers that end; each is held against the document. */
export async function describedFetch(url, options = {}) {
  const response = await fetch(url, options);
  const body = await response.clone().text();
  expectDescribed(options.method ?? "GET", new URL(url).pathname, { status: response.status, headers: response.headers, body });
  return response;
}

function faultOf(method, path, answer) {
  const { status, headers } = answer;
  // HTTP itself was broken, or a cap was reached: no route saw the request.
  if (!headers.has("x-request-id")) return [400, 414, 431, 503].includes(status) && !answer.body ? null : `${status} without X-Request-Id`;
  const heard = method === "HEAD" ? { status, headers } : answer;
  const noMethod = status === 405 && headers.has("allow");
  const template = templateOf(path);
  if (template === null) {
    const isFile = path === "/" || path.startsWith("/www/") || path.startsWith("/pkg/");
    // Where a whole folder has one method, it is asked for first.
    return isFile || noMethod ? null : judge("/components/responses/NotFound", 404, heard);
  }
  const item = root.paths[template];
  const name = method === "HEAD" ? "get" : method.toLowerCase();
  if (item[name] !== undefined && method === method.toUpperCase()) {
    return judge(`/paths/${escape(template)}/${name}/responses/${status}`, status, heard);
  }
  if (method === "OPTIONS" && item["x-cors"] !== undefined) return status === 204 ? null : `${status} to OPTIONS`;
  return noMethod ? null : `${status} to a method that is not described`;
}

/** The entry that names the path wins over one that has a parameter there. */
function templateOf(path) {
  const sent = path.split("/");
  const fits = (template) => {
    const named = template.split("/");
    return named.length === sent.length && named.every((part, at) => (part.startsWith("{") ? sent[at] !== "" : part === sent[at]));
  };
  const parameters = (template) => template.split("{").length;
  return Object.keys(root.paths).filter(fits).sort((a, b) => parameters(a) - parameters(b))[0] ?? null;
}

function judge(place, expected, { status, headers, body }) {
  const response = resolve(place);
  if (response === undefined || status !== expected) return `${status} is not described there`;
  for (const [name, field] of Object.entries(response.headers ?? {})) {
    const { required } = field.$ref === undefined ? field : resolve(field.$ref.slice(1));
    if (required && !headers.has(name)) return `${status} without ${name}`;
  }
  if (headers.has("set-cookie") && response.headers?.["Set-Cookie"] === undefined) return `${status} sets a cookie`;
  if (response.content === undefined) return body ? `${status} with a body` : null;
  const mediaType = (headers.get("content-type") ?? "").split(";")[0];
  if (response.content[mediaType] === undefined) return `${status} as "${mediaType}"`;
  if (body === undefined || !/[/+]json$/.test(mediaType)) return null;
  const validate = ajv.getSchema(`openapi#${place}/content/${escape(mediaType)}/schema`);
  return validate(JSON.parse(body)) ? null : `${status} with ${body}: ${ajv.errorsText(validate.errors)}`;
}

/** Lets no object have members that are not described: the document leaves that open for the readers of later versions. */
function close(schema) {
  if (schema === null || typeof schema !== "object") return;
  if (schema.type === "object" && schema.properties !== undefined && schema.$ref === undefined) schema.additionalProperties ??= false;
  for (const part of Object.values(schema)) close(part);
}

/** What a JSON pointer (RFC 6901) leads to. */
function resolve(place) {
  const step = (value, name) => value?.[name.replaceAll("~1", "/").replaceAll("~0", "~")];
  return place.split("/").slice(1).reduce(step, root);
}

const escape = (step) => step.replaceAll("~", "~0").replaceAll("/", "~1");
