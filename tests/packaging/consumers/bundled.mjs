// As importing.mjs, without a top-level await, which CommonJS does not have.
import * as countersign from "countersign";
import { use } from "./use.mjs";

use(countersign, JSON.parse(process.argv[2])).then(console.log);
