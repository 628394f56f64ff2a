// Writes lines to a file descriptor without blocking the event loop. Queues unwritten lines up to a limit, and drops and
// counts lines beyond it.
import { constants, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import sonicBoom from "sonic-boom";

const standardOutput = 1;
const pollIntervalMs = 10;
/** Pause after a failed write, in milliseconds. */
const retryAfterMs = 1000;
/** Keeps sockets alive: a Socket sets O_NONBLOCK on its descriptor, and closes it when it is garbage-collected. */
const held = new Set<Socket>();

/** A bounded queue of lines in front of a file descriptor. */
export class LineOutput {
  readonly #stream: sonicBoom.SonicBoom;
  #pendingBytes = 0;
  #droppedLines = 0;
  #isGivenUp = false;

  /** @param maxPendingBytes limit of queued bytes; a line that would exceed it is dropped */
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
    // The disk is full or the reader is gone. A full stream does not retry by itself.
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
   * @param timeoutMs milliseconds after which the rest is dropped
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
 * Opens standard output so that a write fails with EAGAIN instead of blocking. A blocked write occupies a thread of
 * libuv's pool, and Node waits for that thread when the process exits.
 */
export function openStandardOutput(): number {
  const kind = fstatSync(standardOutput);
  if (process.platform === "win32" || kind.isFile()) {
    return standardOutput;
  }
  try {
    // A separate file description, so that the flag does not affect other programs on the same pipe.
    return openSync("/dev/fd/1", constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // A socket, or another user's pipe, cannot be reopened.
    if (kind.isSocket() || kind.isFIFO()) {
      held.add(new Socket({ fd: standardOutput, readable: false, writable: true }).unref());
    }
    return standardOutput;
  }
}
