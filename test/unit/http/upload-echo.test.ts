import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Uploads } from "../../../src/http/upload-echo.ts";
import { BufferBudget } from "../../../src/lib/buffer-budget.ts";
import { createStats } from "../../../src/metrics/counters.ts";

type OnData = (chunk: ArrayBuffer, isLast: boolean) => void;

/** A response that reads and writes like uWS's, to a client that takes a number of bytes and then stops. */
class StoppedReader {
  #room: number;
  /** Bytes that the kernel refused. uWS writes them before any others. */
  #unsent = 0;
  #corked = 0;
  #isReading = true;
  #onData: OnData = () => undefined;

  constructor(takesBytes: number) {
    this.#room = takesBytes;
  }

  get isReading(): boolean {
    return this.#isReading;
  }

  asResponse(): HttpResponse {
    const res = {
      onAborted: () => res,
      onData: (handler: OnData) => {
        this.#onData = handler;
        return res;
      },
      pause: () => {
        this.#isReading = false;
      },
      resume: () => {
        this.#isReading = true;
      },
      cork: (write: () => void) => {
        write();
        this.#flush();
      },
      write: (piece: Uint8Array) => {
        const isOut = this.#flush();
        this.#corked += piece.length;
        return isOut;
      },
      writeStatus: () => res,
      writeHeader: () => res,
      getRemoteAddress: () => new ArrayBuffer(4),
    };
    return res as unknown as HttpResponse;
  }

  /** Delivers a chunk as uWS does: it flushes once the callback has returned. */
  deliver(bytes: number): void {
    this.#onData(new ArrayBuffer(bytes), false);
    this.#flush();
  }

  /** A write that the kernel refuses makes uWS read again. */
  #flush(): boolean {
    this.#unsent += this.#corked;
    this.#corked = 0;
    const sent = Math.min(this.#unsent, this.#room);
    this.#room -= sent;
    this.#unsent -= sent;
    if (this.#unsent > 0) {
      this.#isReading = true;
      return false;
    }
    return true;
  }
}

test("an upload is paused after a chunk, although uWS's flush after the callback resumes it", async (t) => {
  const budget = new BufferBudget(Number.POSITIVE_INFINITY, () => undefined);
  const [stats, now] = [createStats(), () => performance.now()];
  const parts = { stats, budget, now, reply: () => undefined, maxUploads: 1, stallTimeoutMs: 0 };
  const uploads = new Uploads(parts);
  t.after(() => uploads.stop());
  const pieceBytes = 4096;
  const reader = new StoppedReader(8 * pieceBytes);
  uploads.handle(reader.asResponse(), { getHeader: () => "" } as unknown as HttpRequest);
  let delivered = 0;
  // Small chunks, so that the upload has no queue of its own when uWS cannot send any more.
  for (let turn = 0; turn < 200; turn++) {
    if (reader.isReading) {
      reader.deliver(pieceBytes);
      delivered += pieceBytes;
    }
    await nextTurn();
  }
  assert.ok(delivered <= 12 * pieceBytes, `reads ${delivered} bytes for a reader of ${8 * pieceBytes}`);
});
