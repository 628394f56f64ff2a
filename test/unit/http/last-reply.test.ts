import type { HttpResponse } from "uWebSockets.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createLastReply } from "../../../src/http/last-reply.ts";
import { createStats } from "../../../src/metrics/counters.ts";

/** A response as uWebSockets.js handles it: not usable once complete. */
function response(completesEmpty: boolean): { res: HttpResponse; calls: string[] } {
  const calls: string[] = [];
  let written = 0;
  let isDone = false;
  const call = (name: string) => {
    assert.ok(!isDone, `${name} after the response was complete`);
    calls.push(name);
  };
  const res = {
    writeHeader: (name: string, value: string) => call(`${name}: ${value}`),
    tryEnd(part: Uint8Array, length: number) {
      call(`tryEnd ${part.byteLength} of ${length}`);
      written += part.byteLength;
      isDone = written === length || (part.byteLength === 0 && completesEmpty);
      return [true, isDone];
    },
    endWithoutBody(length: number, closes: boolean) {
      call(`endWithoutBody ${length} ${closes}`);
      isDone = true;
    },
    end(part: Uint8Array, closes: boolean) {
      call(`end ${part.byteLength} ${closes}`);
      isDone = true;
    },
    onAborted: () => call("onAborted"),
    getWriteOffset: () => {
      assert.ok(!isDone, "offset of a complete response");
      return written;
    },
    close: () => undefined,
  };
  return { res: res as unknown as HttpResponse, calls };
}

for (const completesEmpty of [false, true]) {
  const binary = completesEmpty ? "completes" : "leaves open";
  test(`answers HEAD with a binary that ${binary} a response without bytes`, () => {
    const write = createLastReply(createStats());
    const [first, second] = [response(completesEmpty), response(completesEmpty)];
    write(first.res, 70, new Uint8Array(0));
    write(second.res, 70, new Uint8Array(0));
    assert.deepEqual(first.calls.slice(0, 2), ["Connection: close", "tryEnd 0 of 70"]);
    assert.equal(first.calls.includes("onAborted"), !completesEmpty);
    assert.equal(second.calls[0], completesEmpty ? "endWithoutBody 70 true" : "Connection: close");
  });

  test(`a body is sent whole and not completed with a binary that ${binary} a response without bytes`, () => {
    const write = createLastReply(createStats());
    const { res, calls } = response(completesEmpty);
    write(res, 5, Buffer.from("Hello"));
    assert.deepEqual(calls, ["Connection: close", "tryEnd 1 of 5", "onAborted", "tryEnd 4 of 6"]);
  });
}

test("a body of one byte and an empty one end the connection at once", () => {
  const write = createLastReply(createStats());
  for (const body of ["x", ""]) {
    const { res, calls } = response(true);
    write(res, body.length, Buffer.from(body));
    assert.deepEqual(calls, [`end ${body.length} true`]);
  }
});
