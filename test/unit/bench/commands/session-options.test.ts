import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReconnect } from "../../../../bench/commands/session-options.ts";

test("a way to reconnect is read with its times", () => {
  assert.deepEqual(parseReconnect("never"), { kind: "never" });
  assert.deepEqual(parseReconnect("full-jitter:1s:30s"), {
    kind: "backoff",
    baseMs: 1000,
    maxMs: 30_000,
    jitter: "full",
  });
  assert.deepEqual(parseReconnect("backoff:50ms:2s"), {
    kind: "backoff",
    baseMs: 50,
    maxMs: 2000,
    jitter: "none",
  });
});

test("what is not a way to reconnect is refused with what is", () => {
  for (const text of ["", "always", "full-jitter", "full-jitter:1s", "full-jitter:1s:2s:3s"]) {
    assert.throws(() => parseReconnect(text), /write never, full-jitter:1s:30s or backoff:1s:30s/, text);
  }
  assert.throws(() => parseReconnect("backoff:2s:1s"), /second one at least that/);
  assert.throws(() => parseReconnect("backoff:0:1s"), /must be above 0/);
  assert.throws(() => parseReconnect("backoff:1:2s"), /is not a duration/);
});
