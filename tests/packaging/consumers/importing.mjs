import * as countersign from "countersign";
import { use } from "./use.mjs";

console.log(await use(countersign, JSON.parse(process.argv[2])));
