import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Outstanding } from "../../../../bench/load/outstanding.ts";

type Entry = readonly [intendedNs: number, sentNs: number];

const operation = fc.oneof(
  fc.record({ push: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ take: fc.nat(60) }),
);

test("outstanding messages are settled oldest first, as a plain queue would", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const ring = new Outstanding();
      const queue: Entry[] = [];
      let time = 0;
      for (const step of operations) {
        if ("push" in step) {
          time += 1;
          ring.push(time, time + 0.5, step.push);
          for (let i = 0; i < step.push; i += 1) {
            queue.push([time, time + 0.5]);
          }
        } else {
          const settled: Entry[] = [];
          const taken = ring.take(step.take, (intendedNs, sentNs, count) => {
            for (let i = 0; i < count; i += 1) {
              settled.push([intendedNs, sentNs]);
            }
          });
          assert.equal(taken, settled.length);
          assert.deepEqual(settled, queue.splice(0, step.take));
        }
        assert.equal(ring.size, queue.length);
      }
    }),
  );
});
