/**
 * Building and updating elements. Text enters the page as text only: nothing here, and nothing else on
 * the page, parses a string as HTML.
 *
 * @module dom
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * The element with this id; a missing one is a fault of the page itself and is thrown at start.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element named ${id}`);
  return found;
}

/**
 * A new element with the given attributes and children. A string child becomes a text node; null is left out.
 *
 * @param {string} name
 * @param {Record<string, string | number | boolean | null>} [attributes] `false` and `null` leave one out
 * @param {...(Node | string | null)} children
 */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) setAttribute(node, key, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** The element shows this text; it is touched only when the text differs, so live regions speak once. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The attribute has this value; `false` and `null` remove it, `true` sets it empty. */
export function setAttribute(node, name, value) {
  if (value === null || value === false) node.removeAttribute(name);
  else {
    const text = value === true ? "" : String(value);
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
}

/** A decorative icon from the sprite in index.html. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/**
 * The control can be used when `reason` is null; otherwise it says why not, stays reachable by keyboard,
 * and does nothing when pressed (see {@link onPress}).
 */
export function setAvailable(control, reason) {
  setAttribute(control, "aria-disabled", reason === null ? null : "true");
  setAttribute(control, "title", reason);
}

/** `action` runs when the button is pressed, unless {@link setAvailable} has switched the button off. */
export function onPress(button, action) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") !== "true") action(event);
  });
}
