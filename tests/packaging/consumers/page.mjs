import * as countersign from "countersign";
import { use } from "./use.mjs";

globalThis.use = (given) => use(countersign, given);
