/**
 * Reads `text/event-stream` (the HTML standard, section 9.2.6) from chunks of bytes, within bounds.
 *
 * What is not UTF-8, or longer than any event of an issuer, is an error: whoever sends it is no issuer.
 */

/** Characters that an event may have, all its lines together: a delta of 32 KiB and its fields. */
export const MAX_EVENT_LENGTH = 40 * 1024;

export class EventStreamParser {
  #decoder = new TextDecoder("utf-8", { fatal: true });
  #rest = ""; // the beginning of a line
  #afterReturn = false; // a line feed right after a carriage return ends no line of its own
  #length = 0;
  #type = "";
  #data = [];

  /**
   * Returns the events that `chunk` completes.
   *
   * @param {Uint8Array} chunk
   * @returns {{ type: string, data: string }[]}
   * @throws {Error} Not UTF-8, or an event that is too long; nothing more is to be read then.
   */
  push(chunk) {
    const events = [];
    let text = this.#decoder.decode(chunk, { stream: true });
    if (this.#afterReturn && text !== "") {
      if (text[0] === "\n") text = text.slice(1);
      this.#afterReturn = false;
    }
    this.#afterReturn ||= text.endsWith("\r");
    const lines = (this.#rest + text).split(/\r\n|\r|\n/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      this.#length += line.length;
      this.#check(this.#length);
      const event = this.#line(line);
      if (event !== undefined) events.push(event);
    }
    this.#check(this.#length + this.#rest.length);
    return events;
  }

  #check(length) {
    if (length > MAX_EVENT_LENGTH) throw new RangeError(`an event is longer than ${MAX_EVENT_LENGTH} characters`);
  }

  #line(line) {
    if (line === "") return this.#dispatch();
    const [field, value] = line.includes(":") ? [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).replace(/^ /, "")] : [line, ""];
    if (field === "event") this.#type = value;
    if (field === "data") this.#data.push(value);
    return undefined; // `id` and `retry` say nothing that the documents do not say signed
  }

  #dispatch() {
    const event = this.#data.length === 0 ? undefined : { type: this.#type || "message", data: this.#data.join("\n") };
    this.#type = "";
    this.#data = [];
    this.#length = 0;
    return event;
  }
}
