import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStreamParser, MAX_EVENT_LENGTH } from "../../../pkg/src/event-stream.js";

/** The events of a text that arrives in pieces of this many bytes. */
function events(text, size = Infinity) {
  const [bytes, parser, found] = [new TextEncoder().encode(text), new EventStreamParser(), []];
  for (let at = 0; at < bytes.length; at += size) found.push(...parser.push(bytes.subarray(at, at + size)));
  return found;
}

const message = (data) => ({ type: "message", data });

test("an event is its data, under its type or as a message", () => {
  assert.deepEqual(events("data: a\n\n"), [message("a")]);
  assert.deepEqual(events("event: list\nid: 7\ndata: 7\n\ndata: b\n\n"), [{ type: "list", data: "7" }, message("b")]);
});

test("fields are read as the HTML standard has it", () => {
  assert.deepEqual(events("data:a\ndata\ndata:  b\n\n"), [message("a\n\n b")]);
  assert.deepEqual(events(": comment\nretry: 5\nunknown: x\ndata: a:b\n\n"), [message("a:b")]);
  assert.deepEqual(events("event: list\n\nid: 3\n\n"), [], "without data there is no event, and no type for the next one");
  assert.deepEqual(events("\ufeffdata: a\n\n"), [message("a")], "a byte-order mark at the beginning is no part of it");
  assert.deepEqual(events("data: a\n\ndata: cut off\n"), [message("a")]);
});

test("lines end in any of three ways, wherever the bytes are cut", () => {
  for (const end of ["\n", "\r", "\r\n"]) {
    const text = ["event: list", "data: ü", "", "data: 1", "data: 2", "", "data: 3", "", ""].join(end);
    for (const size of [1, 2, 3, 5, Infinity]) {
      // A carriage return at the very end may still be half of a line's end, and yet ends it.
      assert.deepEqual(events(text, size), [{ type: "list", data: "ü" }, message("1\n2"), message("3")], JSON.stringify([end, size]));
    }
  }
});

test("an event that is too long ends the reading, in one line or in many, with or without an end", () => {
  const most = "x".repeat(MAX_EVENT_LENGTH - "data: ".length);
  assert.deepEqual(events(`data: ${most}\n\ndata: ${most}\n\n`, 1000), [message(most), message(most)]);
  for (const text of [`data: ${most}x\n\n`, `data: ${most}x`, `data: ${"y\ndata: ".repeat(MAX_EVENT_LENGTH / 6)}`, ":".repeat(MAX_EVENT_LENGTH + 1)]) {
    for (const size of [1000, Infinity]) assert.throws(() => events(text, size), RangeError);
  }
});

test("what is not UTF-8 ends the reading", () => {
  assert.throws(() => new EventStreamParser().push(Uint8Array.of(100, 97, 116, 97, 58, 0xff, 10, 10)), TypeError);
});
