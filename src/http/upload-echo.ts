// POST /echo: streams a body back while it comes in. Holds about one chunk at a time, whatever the size of the body.
import type { HttpResponse } from "uWebSockets.js";
import { bump, countHttp, type Stats, slot } from "../metrics/counters.ts";
import type { HttpHandler } from "./endpoint.ts";

/** Responses that are under way; shutdown waits for them. */
export type Uploads = Set<HttpResponse>;

/** How often a reader that has fallen behind is tried again, in milliseconds. */
const retryIntervalMs = 10;

/**
 * @param uploads kept up to date with the responses under way
 * @param stallTimeoutMs a reader that has not taken what waits for this long is dropped; 0 for never
 */
export function createHttpEcho(stats: Stats, uploads: Uploads, stallTimeoutMs: number): HttpHandler {
  return (res, req) => {
    const contentType = req.getHeader("content-type");
    const stream = new EchoStream(res, stallTimeoutMs);
    uploads.add(res);
    countHttp(stats, "/echo", 200);
    res.onAborted(() => {
      stream.stop();
      uploads.delete(res);
    });
    res.writeStatus("200 OK");
    res.writeHeader("Content-Type", contentType === "" ? "application/octet-stream" : contentType);
    res.writeHeader("Cache-Control", "no-store");
    res.onData((chunk, isLast) => {
      bump(stats, slot.httpEchoedBytes, chunk.byteLength);
      if (isLast) {
        uploads.delete(res);
        stream.end(chunk);
      } else if (chunk.byteLength > 0) {
        stream.write(chunk);
      }
    });
  };
}

/**
 * Writes with backpressure. uWS's pause() stops reading and writing alike, so a paused response cannot tell when it can
 * be written again. But every write() first tries to send what is buffered and says whether that worked: one byte of the
 * chunk that is held back does for a question.
 */
class EchoStream {
  readonly #res: HttpResponse;
  readonly #stallTimeoutMs: number;
  #isBehind = false;
  #isStopped = false;
  #held = Buffer.alloc(0);
  #heldSince = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(res: HttpResponse, stallTimeoutMs: number) {
    this.#res = res;
    this.#stallTimeoutMs = stallTimeoutMs;
    // resume() restores what pause() saw when as little was buffered; without this it would restore nothing at all.
    res.pause();
    res.resume();
  }

  /** Chunks that a paused socket had read already still come in. `chunk` is dead once this returns. */
  write(chunk: ArrayBuffer): void {
    if (this.#held.length > 0) {
      this.#held = Buffer.concat([this.#held, Buffer.from(chunk)]);
    } else if (this.#isBehind) {
      this.#held = Buffer.from(chunk.slice(0));
      this.#heldSince = performance.now();
      this.#ask();
    } else {
      this.#isBehind = !this.#res.write(chunk);
    }
  }

  end(chunk: ArrayBuffer): void {
    this.stop();
    const rest = this.#held.length > 0 ? Buffer.concat([this.#held, Buffer.from(chunk)]) : chunk;
    this.#res.cork(() => this.#res.end(rest));
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#retry);
  }

  #ask(): void {
    const question = this.#held.subarray(0, 1);
    this.#held = this.#held.subarray(1);
    this.#isBehind = !this.#res.write(question);
    if (this.#held.length === 0) {
      return;
    }
    if (this.#isBehind) {
      // A write that fails makes uWS read again, so pausing is renewed after each.
      this.#res.pause();
      this.#retry = setTimeout(() => this.#tryAgain(), retryIntervalMs);
      return;
    }
    this.#isBehind = !this.#res.write(this.#held);
    this.#held = Buffer.alloc(0);
  }

  #tryAgain(): void {
    if (this.#stallTimeoutMs > 0 && performance.now() - this.#heldSince >= this.#stallTimeoutMs) {
      this.#res.close();
      return;
    }
    this.#res.cork(() => this.#ask());
    if (this.#held.length === 0 && !this.#isStopped) {
      this.#res.resume();
    }
  }
}
