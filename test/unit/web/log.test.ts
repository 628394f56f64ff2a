import assert from "node:assert/strict";
import { mock, test } from "node:test";
import {
  asJsonLines,
  asText,
  eventEntry,
  matches,
  messageEntry,
  preview,
} from "../../../src/web/console/log-entries.ts";
import { createLogStore } from "../../../src/web/console/log-store.ts";
import { createAnnouncer } from "../../../src/web/ui/announcer.ts";

const all = { kinds: "all", text: "" } as const;

test("the log keeps its bounds: the oldest entries go, and before them the oldest payloads", () => {
  const store = createLogStore({ entries: 3, payloadBytes: 10 });
  for (const text of ["aaaa", "bbbb", "cccc"]) {
    store.add(messageEntry("sent", text, undefined));
  }
  assert.deepEqual(
    store.entries().map((entry) => entry.data),
    [undefined, "bbbb", "cccc"],
  );
  assert.match(preview(store.entries()[0] ?? assert.fail()), /no longer kept/);
  store.add(messageEntry("message", "d".repeat(50), 1));
  assert.equal(store.entries().length, 3);
  assert.equal(store.total(), 4);
  assert.deepEqual(
    store.entries().map((entry) => entry.data?.length),
    [undefined, undefined, 50],
  );
  store.clear();
  assert.deepEqual([store.entries().length, store.total()], [0, 0]);
});

test("entries are filtered by kind and by text in any case", () => {
  const store = createLogStore({ entries: 10, payloadBytes: 1000 });
  const sent = store.add(messageEntry("sent", "Hello World", undefined));
  const message = store.add(messageEntry("message", Uint8Array.of(0xde, 0xad), 2));
  const close = store.add(eventEntry("close", "1006 Abnormal Closure", "A sentence."));
  const shown = (filter: Parameters<typeof matches>[1]) =>
    [sent, message, close].filter((entry) => matches(entry, filter));
  assert.deepEqual(shown(all), [sent, message, close]);
  assert.deepEqual(shown({ kinds: "sent", text: "" }), [sent]);
  assert.deepEqual(shown({ kinds: "received", text: "" }), [message]);
  assert.deepEqual(shown({ kinds: "lifecycle", text: "" }), [close]);
  assert.deepEqual(shown({ kinds: "all", text: "WORLD" }), [sent]);
  assert.deepEqual(shown({ kinds: "all", text: "de ad" }), [message]);
  assert.deepEqual(shown({ kinds: "all", text: "abnormal" }), [close]);
});

test("a preview is one line, cut where it is long", () => {
  const store = createLogStore({ entries: 10, payloadBytes: 1e6 });
  const line = (data: string | Uint8Array<ArrayBuffer>) =>
    preview(store.add(messageEntry("sent", data, undefined)));
  assert.equal(line("two\n  lines"), "two lines");
  assert.equal(line(""), "(empty)");
  assert.equal(line("x".repeat(1000)).length, 241);
  assert.equal(line(Uint8Array.of(1, 255)), "01 ff");
  assert.match(line(new Uint8Array(1000)), / …$/);
});

test("the log is exported as lines of text, and as JSON Lines that lose nothing", () => {
  const store = createLogStore({ entries: 10, payloadBytes: 1000 });
  store.add(eventEntry("open", "Connected"));
  store.add(messageEntry("sent", 'a "quoted"\nline', undefined));
  store.add(messageEntry("message", Uint8Array.of(0, 255), 1.5));
  const lines = asText(store.entries()).split("\n");
  assert.equal(lines.length, 3);
  assert.match(lines[2] ?? "", /^\d\d:\d\d:\d\d\.\d{3} {2}message {2}binary {2}2 B {2}1\.50 ms {2}00 ff$/);
  const records = asJsonLines(store.entries())
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(records[0]?.["detail"], "Connected");
  assert.equal(records[1]?.["text"], 'a "quoted"\nline');
  assert.deepEqual(
    [records[2]?.["hex"], records[2]?.["roundTripMs"], records[2]?.["bytes"]],
    ["00 ff", 1.5, 2],
  );
});

test("the live region says a state at once, and a burst of messages once with their number", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const said: string[] = [];
    const announcer = createAnnouncer((sentence) => said.push(sentence));
    announcer.message("Message of 5 B received.");
    for (let count = 0; count < 500; count += 1) {
      announcer.message("Message of 5 B received.");
    }
    announcer.say("Closed with code 1000.");
    assert.deepEqual(said, ["Message of 5 B received.", "Closed with code 1000."]);
    mock.timers.tick(4000);
    assert.deepEqual(said.slice(2), ["500 more messages received."]);
    mock.timers.tick(60_000);
    assert.equal(said.length, 3);
    announcer.message("Message of 6 B received.");
    assert.equal(said.at(-1), "Message of 6 B received.");
  } finally {
    mock.timers.reset();
  }
});
