import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { measureClockOffset } from "../../../../bench/target/clock-offset.ts";
import type { Cleanup } from "../../../support/echo-server.ts";

/** A server whose clock is ahead by this; without a Date header if undefined. */
async function serveTime(t: Cleanup, aheadMs: number | undefined): Promise<string> {
  const server = createServer((_request, response) => {
    response.sendDate = false;
    if (aheadMs !== undefined) {
      response.setHeader("Date", new Date(Date.now() + aheadMs).toUTCString());
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  return `ws://127.0.0.1:${typeof address === "object" ? address?.port : 0}/echo`;
}

test("measures the offset of the target's clock within the reported error", async (t) => {
  const measured = await measureClockOffset(await serveTime(t, 4321));
  assert.ok(measured !== undefined);
  const { offsetMs, errorMs } = measured;
  assert.ok(Math.abs(offsetMs - 4321) <= errorMs + 20, `${offsetMs} ms, give or take ${errorMs} ms`);
});

test("a target without a Date header, or that does not exist, has no offset", async (t) => {
  assert.equal(await measureClockOffset(await serveTime(t, undefined)), undefined);
  assert.equal(await measureClockOffset("ws://127.0.0.1:1/"), undefined);
});
