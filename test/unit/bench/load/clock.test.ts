import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { systemClock } from "../../../../bench/load/clock.ts";

/** How exact the agreement of two threads must be. A thread that loses its CPU does not count. */
const toleranceNs = 50_000;

const source = JSON.stringify(new URL("../../../../bench/load/clock.ts", import.meta.url).href);
const answersWithItsTime = `import("tsx/esm/api").then(async (tsx) => {
  tsx.register();
  const { systemClock } = await import(${source});
  const { parentPort } = require("node:worker_threads");
  parentPort.on("message", () => parentPort.postMessage(systemClock.nowNs()));
})`;

test("the clocks of threads agree: an answer is given after its question and before its arrival", async (t) => {
  for (let number = 0; number < 4; number++) {
    const thread = new Worker(answersWithItsTime, { eval: true });
    t.after(() => thread.terminate());
    for (let exchange = 0; exchange < 200; exchange++) {
      const askedNs = systemClock.nowNs();
      thread.postMessage(null);
      const [saidNs] = (await once(thread, "message")) as [number];
      const heardNs = systemClock.nowNs();
      assert.ok(saidNs > askedNs - toleranceNs, `${(askedNs - saidNs) / 1000} us before the question`);
      assert.ok(saidNs < heardNs + toleranceNs, `${(saidNs - heardNs) / 1000} us after the arrival`);
    }
  }
});
