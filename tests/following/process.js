/** A plain Node program that verifies, and follows its issuer by itself; it answers over the channel to its parent. */
import { createVerifier } from "countersign";
import { judge } from "./judge.js";

const verifier = await createVerifier(JSON.parse(process.argv[2]));
const judging = judge(verifier);

process.on("message", async ({ id, name, given }) => process.send({ id, answer: await judging[name](given) }));
process.on("disconnect", () => {
  judging.rest();
  verifier.close();
});
process.send({ id: 0 });
