/** A script that verifies one token, with a verifier that follows, and has nothing else to do. Run by background.test.js. */
import { createVerifier } from "countersign";

const [issuer, token, wait] = process.argv.slice(2);
const verifier = await createVerifier({ issuer, audience: "api", pollInterval: 0.05 });
if (wait !== undefined) {
  const deadline = Date.now() + 5000;
  while (verifier.status.transport !== wait && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 100));
}
console.log(verifier.verify(token).sub, verifier.status.transport);
