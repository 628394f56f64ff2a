// Writes lines to a file descriptor without blocking the event loop. What cannot be written waits up to a bound, and is
// dropped and counted beyond it.
import { constants, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import sonicBoom from "sonic-boom";

const standardOutput = 1;
const pollIntervalMs = 10;
/** How long to wait after a failed write before it is tried again, in milliseconds. */
const retryAfterMs = 1000;
/** A Socket sets O_NONBLOCK on the descriptor that it is given, and closes it when it is collected. */
const held = new Set<Socket>();

/** A bounded queue of lines in front of a file descriptor. */
export class LineOutput {
  readonly #stream: sonicBoom.SonicBoom;
  #pendingBytes = 0;
  #droppedLines = 0;
  #isGivenUp = false;

  /** @param maxPendingBytes bytes that may wait; a line that would exceed them is dropped */
  constructor(fd: number, maxPendingBytes: number) {
    this.#stream = new sonicBoom.SonicBoom({
      fd,
      sync: false,
      minLength: 1, // With 0, flush() does nothing.
      maxLength: maxPendingBytes,
      retryEAGAIN: () => !this.#isGivenUp,
    });
    this.#stream.on("write", (bytes: number) => {
      this.#pendingBytes -= bytes;
    });
    this.#stream.on("drop", (line: string) => {
      this.#pendingBytes -= Buffer.byteLength(line);
      this.#droppedLines++;
    });
    // A full disk, or a reader that has gone. A stream that is full does not try again by itself.
    this.#stream.on("error", () => {
      setTimeout(() => this.#stream.flush(), retryAfterMs).unref();
    });
  }

  get droppedLines(): number {
    return this.#droppedLines;
  }

  write(line: string): void {
    this.#pendingBytes += Buffer.byteLength(line);
    this.#stream.write(line);
  }

  /**
   * Waits until everything is written, then writes nothing more.
   * @param timeoutMs milliseconds after which what is left is given up
   */
  async flush(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.#pendingBytes > 0 && performance.now() < deadline) {
      await sleep(pollIntervalMs);
    }
    this.#isGivenUp = true;
  }
}

/**
 * Opens standard output so that a write fails with EAGAIN where it would block. A write that blocks holds a thread of
 * libuv's pool, and Node waits for that thread when the process exits.
 */
export function openStandardOutput(): number {
  const kind = fstatSync(standardOutput);
  if (process.platform === "win32" || kind.isFile()) {
    return standardOutput;
  }
  try {
    // A file description of its own, so that other programs on the same pipe do not see the flag.
    return openSync("/dev/fd/1", constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // A socket cannot be opened again, nor a pipe of another user.
    if (kind.isSocket() || kind.isFIFO()) {
      held.add(new Socket({ fd: standardOutput, readable: false, writable: true }).unref());
    }
    return standardOutput;
  }
}
