import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteQueue, SegmentPool } from "../../../src/lib/byte-queue.ts";

test("bytes come out as they went in, however they are cut", () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 });
  const steps = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(pieces, steps, (appended, sizes) => {
      const queue = new ByteQueue(new SegmentPool(16));
      const out: number[] = [];
      let step = 0;
      const take = (): void => {
        const piece = queue.peek(sizes[step++ % sizes.length] as number);
        out.push(...piece);
        queue.skip(piece.length);
      };
      for (const [i, bytes] of appended.entries()) {
        queue.append(bytes);
        if (i % 3 === 0) {
          take();
        }
      }
      while (queue.length > 0) {
        take();
      }
      assert.deepEqual(
        out,
        appended.flatMap((bytes) => [...bytes]),
      );
    }),
  );
});

test("what is appended is copied", () => {
  const queue = new ByteQueue(new SegmentPool(8));
  const bytes = new Uint8Array([1, 2, 3]);
  queue.append(bytes);
  bytes.fill(9);
  assert.deepEqual([...queue.peek(10)], [1, 2, 3]);
});

test("segments go back to the pool and are used again", () => {
  const pool = new SegmentPool(8);
  const queue = new ByteQueue(pool);
  queue.append(new Uint8Array(8).fill(1));
  const { buffer } = queue.peek(8);
  queue.skip(8);
  assert.equal(queue.length, 0);
  queue.append(new Uint8Array(3).fill(2));
  assert.equal(queue.peek(8).buffer, buffer);
  queue.clear();
  assert.equal(queue.length, 0);
  assert.equal(queue.peek(8).length, 0);
});

test("one byte at a time takes no more segments than all at once", () => {
  const pool = new SegmentPool(64);
  const queue = new ByteQueue(pool);
  for (let i = 0; i < 640; i++) {
    queue.append(new Uint8Array([i & 255]));
  }
  let pieces = 0;
  for (let piece = queue.peek(64); piece.length > 0; piece = queue.peek(64)) {
    queue.skip(piece.length);
    pieces++;
  }
  assert.equal(pieces, 10);
});
