/** A worker that holds workerd against the vectors it is sent. */
import * as countersign from "countersign";
import { differences } from "../judge.js";

export default {
  async fetch(request) {
    return Response.json(await differences(countersign, await request.json()));
  },
};
