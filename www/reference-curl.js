/**
 * An operation as a command line of curl, with the example of the document; a name in the path is left to be filled in.
 *
 * @module reference-curl
 */

/** The command, over as many lines as it has parts. */
export function curl({ path, method, told }, origin) {
  const parts = [...credentials(told.security), ...body(told.requestBody)];
  const verb = method === "get" || (method === "post" && told.requestBody !== undefined) ? [] : [`-X ${method.toUpperCase()}`];
  return [`curl -s ${quoted(origin + path)}`, ...verb, ...parts].join(" \\\n  ");
}

/** The first way to prove who one is. */
function credentials([way = {}] = []) {
  const parts = { basic: "-u \"$CLIENT_ID:$CLIENT_SECRET\"", bearer: "-H \"Authorization: Bearer $ACCESS_TOKEN\"", csrf: "-H \"X-CSRF-Token: $CSRF_TOKEN\"" };
  return Object.keys(way).map((name) => parts[name] ?? "-b cookies.txt -c cookies.txt");
}

function body(requestBody) {
  const [[mediaType, content] = []] = Object.entries(requestBody?.content ?? {});
  if (mediaType === undefined) return [];
  const { example = {} } = content;
  if (mediaType === "application/json") return [`-H ${quoted(`Content-Type: ${mediaType}`)}`, `-d ${quoted(JSON.stringify(example))}`];
  return Object.entries(example).map(([name, value]) => `-d ${quoted(`${name}=${encodeURIComponent(value)}`)}`);
}

/** A word for a shell of POSIX. */
const quoted = (text) => (/^[\w./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
