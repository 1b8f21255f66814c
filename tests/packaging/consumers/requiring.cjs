const countersign = require("countersign");

import("./use.mjs").then(async ({ use }) => console.log(await use(countersign, JSON.parse(process.argv[2]))));
