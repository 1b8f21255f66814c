/** What fixture.rs wrote, and what can be made of it without a key. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** As in fixture.rs. */
export const ISSUER = "https://id.example.com";
export const AUDIENCE = "api";

export function readFixture(folder) {
  const text = (name) => readFileSync(join(folder, name), "utf8");
  const tokens = text("tokens.txt").split("\n");
  return {
    keys: JSON.parse(text("keys.json")),
    tokens,
    revocations: readFileSync(join(folder, "revocations.bin")),
    refused: { forged: forged(tokens[0]), ...JSON.parse(text("refused.json")) },
  };
}

/** The token with another signature. */
function forged(token) {
  const at = token.length - 40;
  return token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
}

/** What is signed and by what, as bytes: for those who know signatures only. */
export function signatureOf(token) {
  const dot = token.lastIndexOf(".");
  return { message: Buffer.from(token.slice(0, dot)), signature: Buffer.from(token.slice(dot + 1), "base64url") };
}

/** The JWK whose `kid` the token names. */
export function keyOf(keys, token) {
  const { kid } = JSON.parse(Buffer.from(token.split(".")[0], "base64url"));
  return keys.keys.find((key) => key.kid === kid);
}
