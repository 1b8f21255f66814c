/**
 * The reference: every operation of the OpenAPI document that the daemon serves, in its groups, and every shared schema.
 * It starts itself; the page's address with `#<operation>` leads to one operation.
 *
 * @module reference
 */

import { byId, el, setText } from "./dom.js";
import { operationCard } from "./reference-operation.js";
import { schemaCard } from "./reference-schema.js";
import { prose } from "./reference-text.js";

const METHODS = ["get", "post", "patch", "delete"];

start().catch((error) => {
  byId("notice").hidden = false;
  setText(byId("notice"), `The OpenAPI document could not be read: ${error.message}. See whether the daemon is running, and load the page again.`);
});

async function start() {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`the daemon answered ${answer.status}`);
  show(await answer.json());
  byId("find").addEventListener("input", ({ target }) => find(target.value));
  if (location.hash !== "") document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function show(api) {
  setText(byId("version"), api.info.version);
  setText(byId("origin"), location.origin);
  byId("about").append(...prose(api.info.description));
  byId("about").hidden = false;
  const operations = operationsOf(api);
  for (const { name, description } of api.tags) {
    const group = operations.filter(({ told }) => told.tags.includes(name));
    showGroup(name, description, group.map((operation) => [operation.told.operationId, operationLine(operation), operationCard(operation, api)]));
  }
  const schemas = Object.entries(api.components.schemas);
  const cards = schemas.map(([name, schema]) => [`schema-${name}`, el("span", {}, name), schemaCard(name, schema)]);
  showGroup("Schemas", "What several operations share.", cards);
  find("");
}

/** Every operation of the document, in the order of its paths. */
function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method] !== undefined).map((method) => ({ path, method, cors: item["x-cors"], told: item[method] })));
}

function showGroup(name, description, cards) {
  const id = `group-${name.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  const section = el("section", { class: "group", "aria-labelledby": id }, el("h2", { id }, name), el("p", { class: "lead" }, description));
  const links = el("ul", {});
  for (const [id, line, card] of cards) {
    section.append(card);
    links.append(el("li", {}, el("a", { href: `#${id}` }, line)));
  }
  byId("operations").append(section);
  byId("contents").append(el("section", { class: "contents-group", "aria-label": name }, el("h3", {}, name), links));
}

const operationLine = ({ method, path }) =>
  el("span", { class: "line" }, el("span", { class: "method", "data-method": method }, method.toUpperCase()), " ", el("span", { class: "path" }, path));

/** Only what has every one of the words is shown. */
function find(text) {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  let shown = 0;
  for (const link of byId("contents").querySelectorAll("a")) {
    const card = document.getElementById(link.hash.slice(1));
    const fits = words.every((word) => card.textContent.toLowerCase().includes(word));
    link.parentElement.hidden = !fits;
    card.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  for (const group of document.querySelectorAll(".contents-group, .group")) {
    group.hidden = group.querySelector("li:not([hidden]), article:not([hidden])") === null;
  }
  byId("about").hidden = words.length > 0;
  setText(byId("found"), words.length === 0 ? "" : `${shown} found`);
}
