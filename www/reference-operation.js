/**
 * The card of one operation: who may use it, what it takes with an example to try, what it answers.
 *
 * @module reference-operation
 */

import { el, setText } from "./dom.js";
import { curl } from "./reference-curl.js";
import { hasMembers, kind, said, schemaBlock, table } from "./reference-schema.js";
import { inline, prose } from "./reference-text.js";

/**
 * @param {{path: string, method: string, cors?: string, told: object}} operation
 * @param {object} api the whole document, for what it refers to
 */
export function operationCard(operation, api) {
  const { path, method, told } = operation;
  const title = `${told.operationId}-title`;
  return el("article", { id: told.operationId, class: "card operation", "aria-labelledby": title },
    el("h3", { id: title }, el("span", { class: "line" }, el("span", { class: "method", "data-method": method }, method.toUpperCase()), " ", el("code", { class: "path" }, path)), el("span", { class: "summary" }, told.summary)),
    ...prose(told.description),
    el("p", { class: "muted" }, ...access(operation, api)),
    ...parameters(told),
    ...body(told),
    example(operation),
    ...answers(told, api));
}

/** Who may use it. */
function access({ told, cors }, api) {
  const schemes = api.components.securitySchemes;
  const named = (way) => Object.keys(way).map((name) => NAMES[schemes[name].scheme ?? schemes[name].in]?.(schemes[name]) ?? name).join(" and ");
  const ways = (told.security ?? []).map((way) => named(way) || "credentials in the body");
  const who = ways.length === 0 ? "Public." : `Needs ${ways.join(", or ")}.`;
  return [who, { anyone: " Pages of every origin may use it.", listed: " Pages of the listed origins may use it.", "listed-with-cookies": " Pages of the listed origins may use it, with cookies." }[cors] ?? ""];
}

const NAMES = {
  basic: () => "HTTP Basic",
  bearer: () => "a Bearer token",
  cookie: ({ name }) => `the cookie ${name}`,
  header: ({ name }) => `the field ${name}`,
};

function parameters({ parameters: given = [], operationId }) {
  if (given.length === 0) return [];
  const rows = given.map((parameter) => el("tr", {},
    el("th", { scope: "row" }, el("code", {}, parameter.name), parameter.required ? el("span", { class: "must" }, "required") : null),
    el("td", {}, `${PLACES[parameter.in]}: `, ...kind(parameter.schema)),
    el("td", {}, ...inline(parameter.description ?? ""), ...said({ default: parameter.schema.default }))));
  const head = el("tr", {}, ...["Parameter", "Where and what", "Meaning"].map((title) => el("th", { scope: "col" }, title)));
  return [el("h4", {}, "Parameters"), table(`Parameters of ${operationId}`, head, rows)];
}

const PLACES = { path: "in the path", query: "in the query", header: "header field", cookie: "cookie" };

function body({ requestBody, operationId }) {
  if (requestBody === undefined) return [];
  return Object.entries(requestBody.content).flatMap(([mediaType, { schema }]) =>
    [el("h4", {}, "Body: ", el("code", {}, mediaType)), ...schemaBlock(schema, `Body of ${operationId}`)]);
}

function example(operation) {
  const command = curl(operation, location.origin);
  const copied = el("span", { class: "muted", role: "status" });
  const button = el("button", { type: "button", "aria-label": `Copy the example of ${operation.told.operationId}` }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(command);
    setText(copied, "Copied");
  });
  return el("div", { class: "example" }, el("h4", {}, "Example"), el("pre", { tabindex: "0", role: "region", "aria-label": `Example of ${operation.told.operationId}` }, el("code", {}, command)), el("div", { class: "example-end" }, button, copied));
}

function answers({ responses, operationId }, api) {
  const told = Object.entries(responses).map(([status, response]) => {
    const good = status < 400;
    const contents = Object.entries(response.content ?? {}).flatMap(([mediaType, { schema }]) =>
      [el("p", {}, el("code", {}, mediaType), ": ", ...kind(schema)), ...(good && hasMembers(schema) ? schemaBlock(schema, `Answer ${status} of ${operationId}`) : [])]);
    const named = good ? [" ", ...inline(firstLine(response.description))] : [" ", el("span", { class: "muted" }, codes(response).join(", "))];
    return el("details", { class: "answer", open: good && status < 300 },
      el("summary", {}, el("span", { class: "status", "data-tone": good ? "good" : "bad" }, status), ...named),
      ...(good ? [] : prose(response.description)), ...contents, ...fields(response, api));
  });
  return [el("h4", {}, "Answers"), ...told];
}

const firstLine = (text) => text.split("\n")[0];

/** The codes of a refusal. */
const codes = (response) => Object.values(response.content ?? {}).flatMap(({ schema }) => {
  const { code, error } = schema.properties ?? {};
  const named = code ?? error ?? {};
  return named.enum ?? (named.const === undefined ? [] : [named.const]);
});

/** Fields of the answer beyond those that every one has. */
function fields({ headers = {} }, api) {
  const own = Object.entries(headers).filter(([name]) => name !== "X-Request-Id" && name !== "Cache-Control");
  const line = ([name, field]) => {
    const told = field.$ref === undefined ? field : api.components.headers[field.$ref.split("/").at(-1)];
    return el("li", {}, el("code", {}, name), ": ", ...inline(told.description ?? ""));
  };
  return own.length === 0 ? [] : [el("p", {}, "Fields:"), el("ul", { class: "points" }, ...own.map(line))];
}
