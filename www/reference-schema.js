/**
 * Schemas, for people: what a value is in a few words, its members in a table, its variants one below the other.
 *
 * @module reference-schema
 */

import { el } from "./dom.js";
import { inline } from "./reference-text.js";

/** The card of a shared schema. */
export function schemaCard(name, schema) {
  const title = `schema-${name}-title`;
  return el("article", { id: `schema-${name}`, class: "card", "aria-labelledby": title }, el("h3", { id: title }, name), ...schemaBlock(schema, name));
}

/** A schema in full: a table when it is an object, its variants when it has some, else its words. */
export function schemaBlock(schema, caption) {
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants !== undefined && hasMembers(schema)) {
    return variants.flatMap((variant, at) => [el("p", { class: "variant" }, at === 0 ? "Either " : "or ", ...kind(variant)), ...(isObject(variant) ? schemaBlock(variant, `${caption}, variant ${at + 1}`) : [])]);
  }
  if (schema.$ref === undefined && isObject(schema)) return [memberTable(schema, caption)];
  return [el("p", {}, ...kind(schema), ...said(schema))];
}

/** There is more to show of it than its words. */
export const hasMembers = (schema) => isObject(schema) || (schema.oneOf ?? schema.anyOf ?? []).some(isObject);

const isObject = (schema) => schema.properties !== undefined && schema.$ref === undefined;

function memberTable(schema, caption) {
  const required = new Set(schema.required);
  const names = Object.keys(schema.properties).sort((a, b) => required.has(b) - required.has(a));
  const rows = names.map((name) => {
    const member = schema.properties[name];
    const must = required.has(name) ? el("span", { class: "must" }, "required") : null;
    return el("tr", {}, el("th", { scope: "row" }, el("code", {}, name), must), el("td", {}, ...kind(member)), el("td", {}, ...said(member), ...nested(member, name)));
  });
  const head = el("tr", {}, ...["Member", "Type", "Meaning"].map((title) => el("th", { scope: "col" }, title)));
  return table(caption, head, rows);
}

/** A table that can be scrolled by keyboard where it is wider than the screen. */
export function table(caption, head, rows) {
  const whole = el("table", {}, el("caption", { class: "visually-hidden" }, caption), el("thead", {}, head), el("tbody", {}, ...rows));
  return el("div", { class: "table", tabindex: "0", role: "region", "aria-label": caption }, whole);
}

/** An object inside of a member, behind a summary. */
function nested(schema, name) {
  const inner = schema.type === "array" ? schema.items : schema;
  if (inner === undefined || !isObject(inner)) return [];
  return [el("details", {}, el("summary", {}, `Members of ${name}`), memberTable(inner, `Members of ${name}`))];
}

/** What a value is, in a few words with links. */
export function kind(schema) {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1);
    return [el("a", { href: `#schema-${name}` }, name)];
  }
  if (schema.const !== undefined) return [el("code", {}, JSON.stringify(schema.const))];
  if (schema.enum !== undefined) return schema.enum.flatMap((value, at) => [at === 0 ? "" : ", ", el("code", {}, JSON.stringify(value))]);
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants !== undefined) return variants.flatMap((variant, at) => [at === 0 ? "" : ", or ", ...kind(variant)]);
  if (schema.type === "array") return ["list of ", ...kind(schema.items ?? {}), ...bounds(schema.minItems, schema.maxItems, "items")];
  const [kinds, lengths] = [[schema.type ?? "any value"].flat().join(" or "), bounds(schema.minLength, schema.maxLength, "characters")];
  const range = bounds(schema.minimum, schema.maximum === LAST_SECOND ? undefined : schema.maximum, "");
  return [schema.format === "binary" ? "bytes" : kinds, ...lengths, ...range];
}

/** The last second of the year 9999: the bound of every time, and no news to anyone. */
const LAST_SECOND = 253402300799;

function bounds(least, most, unit) {
  const number = (value) => value.toLocaleString("en");
  if (most === undefined) return least === undefined || least === 0 || unit !== "" ? [] : [`, at least ${number(least)}`];
  const range = least === undefined || least === most ? number(most) : `${number(least)} to ${number(most)}`;
  return [`, ${range}${unit === "" ? "" : ` ${unit}`}`];
}

/** What is said of a value, its default included. */
export function said(schema) {
  const words = schema.description === undefined ? [] : [" ", ...inline(schema.description)];
  return schema.default === undefined ? words : [...words, " ", "Default: ", el("code", {}, JSON.stringify(schema.default)), "."];
}
