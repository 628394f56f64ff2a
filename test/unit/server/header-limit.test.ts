import assert from "node:assert/strict";
import { test } from "node:test";
import { hasManyHeaders } from "../../../src/server/header-limit.ts";

const head = (headers: number): string =>
  `GET /echo HTTP/1.1\r\n${Array.from({ length: headers }, (_, i) => `x-${i}: a\r\n`).join("")}\r\n`;

test("a head may have 98 headers, and whatever follows it does not count", () => {
  for (const [headers, isMany] of [
    [1, false],
    [98, false],
    [99, true],
    [5000, true],
  ] as const) {
    assert.equal(hasManyHeaders(Buffer.from(head(headers))), isMany, `${headers}`);
    assert.equal(hasManyHeaders(Buffer.from(head(headers) + head(500))), isMany, `${headers}, pipelined`);
  }
});

test("bytes without the end of a head are left to uWebSockets.js", () => {
  assert.equal(hasManyHeaders(Buffer.from(head(200).slice(0, -2))), false);
  assert.equal(hasManyHeaders(Buffer.alloc(0)), false);
  assert.equal(hasManyHeaders(Buffer.alloc(100_000, "\r\n")), false);
});
