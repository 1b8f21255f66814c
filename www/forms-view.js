/**
 * Signing in and minting: the two forms on the issuer's side.
 *
 * @module forms-view
 */

import { reasons } from "./availability.js";
import { byId, onPress, setAttribute, setAvailable, setText } from "./dom.js";

const words = (id) => byId(id).value.trim().split(/\s+/).filter(Boolean);

/** The whole number in a field, or undefined when the field is empty. */
const seconds = (id) => (byId(id).value === "" ? undefined : byId(id).valueAsNumber);

/** The JSON object in the field for own claims; undefined when empty. The field is marked while it is no object. */
function ownClaims() {
  const field = byId("mint-claims");
  field.setCustomValidity("");
  if (field.value.trim() === "") return undefined;
  try {
    const value = JSON.parse(field.value);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return value;
  } catch {
    // Told below, with the case of JSON that is no object.
  }
  field.setCustomValidity('Write a JSON object, for example {"plan":"pro"}.');
  return undefined;
}

/** The request the form describes; members left empty are left out of the JSON. */
function mintRequest() {
  const aud = words("mint-aud");
  const roles = words("mint-roles");
  return {
    sub: byId("mint-sub").value.trim(),
    aud: aud.length === 1 ? aud[0] : aud,
    scope: words("mint-scope").join(" ") || undefined,
    roles: roles.length > 0 ? roles : undefined,
    access_ttl: seconds("mint-access-ttl"),
    refresh_ttl: seconds("mint-refresh-ttl"),
    session_ttl: seconds("mint-session-ttl"),
    claims: ownClaims(),
  };
}

const allowed = (button) => button.getAttribute("aria-disabled") !== "true";

function wireSignIn(actions) {
  byId("sign-in-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!allowed(byId("sign-in"))) return;
    const secret = byId("client-secret");
    const credentials = { clientId: byId("client-id").value.trim(), clientSecret: secret.value };
    if (!(await actions.signIn(credentials))) return;
    secret.value = "";
    byId("mint-sub").focus();
  });
  onPress(byId("sign-out"), () => {
    actions.signOut();
    byId("sign-in-card").hidden = false;
    byId("client-id").focus();
  });
}

function wireMint(actions) {
  byId("mint-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!allowed(byId("mint"))) return;
    const request = mintRequest();
    if (!event.target.reportValidity()) return;
    actions.mint(request);
  });
  byId("mint-claims").addEventListener("input", ({ target }) => target.setCustomValidity(""));
}

/** Draws both forms from the state and wires them. */
export function createFormsView(actions) {
  wireSignIn(actions);
  wireMint(actions);

  return function render(state) {
    const why = reasons(state);
    byId("sign-in-card").hidden = state.client !== null;
    byId("client-line").hidden = state.client === null;
    setText(byId("client-name"), state.client ?? "");
    setAvailable(byId("sign-in"), why.signIn);
    setText(byId("sign-in-reason"), why.signIn ?? "The secret stays in this page’s memory.");
    setAvailable(byId("mint"), why.mint);
    setText(byId("mint-reason"), why.mint ?? "Starts a new session.");
    setAttribute(byId("mint-form"), "aria-busy", state.busy === "mint" ? "true" : null);
  };
}
