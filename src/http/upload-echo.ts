// POST /echo: streams a body back as it arrives. Writes pieces that fit into uWS's cork buffer, because uWS loses a
// larger write if flushing that buffer fails. Pauses the upload of a client that does not read.
import type { HttpResponse } from "uWebSockets.js";
import type { BufferBudget } from "../lib/buffer-budget.ts";
import { ByteQueue } from "../lib/byte-queue.ts";
import { bump, countHttp, countTermination, type Stats, slot } from "../metrics/counters.ts";
import type { HttpHandler } from "./endpoint.ts";
import { isConnected } from "./headers.ts";
import { firstPieceBytes, pieceBytes, piecePool } from "./pieces.ts";
import type { SendReply } from "./reply.ts";

/** A longer content type is not sent back, because the head must fit as well. */
const maxContentTypeBytes = 1024;
/** Bytes kept for probes during shutdown: each probe writes one. */
const lastQuestions = 512;
/** Interval of retries for slow readers, in milliseconds: the first, and the longest without progress. */
const retryMs = { first: 10, longest: 250 };

interface Upload {
  readonly res: HttpResponse;
  readonly contentType: string;
  /** Bytes received but not yet passed to uWS. */
  readonly queue: ByteQueue;
  hasHead: boolean;
  /** The whole body has been received. */
  isComplete: boolean;
  /** uWS could not send all bytes. */
  isBehind: boolean;
  isPaused: boolean;
  /** When bytes were last sent, in milliseconds; valid only while it is behind. */
  progressAt: number;
  retryAt: number;
  retryMs: number;
}

export interface UploadsParts {
  readonly stats: Stats;
  readonly budget: BufferBudget;
  readonly reply: SendReply;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Concurrent uploads; more are refused with 503. */
  readonly maxUploads: number;
  /** Time without progress after which a reader is dropped, in milliseconds; 0 for never. */
  readonly stallTimeoutMs: number;
}

/** All uploads in progress. */
export class Uploads {
  readonly #parts: UploadsParts;
  readonly #open = new Set<Upload>();
  readonly #behind = new Set<Upload>();
  /** Uploads with bytes to write after uWS's callback. */
  readonly #dirty = new Set<Upload>();
  #flushing: NodeJS.Immediate | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #isDraining = false;

  constructor(parts: UploadsParts) {
    this.#parts = parts;
    parts.budget.join({
      largest: () => this.#largest()?.queue.length ?? 0,
      dropLargest: () => this.#drop(this.#largest(), "buffer_cap"),
    });
  }

  /** Uploads whose response is not complete. */
  get size(): number {
    return this.#open.size;
  }

  /** Answers POST /echo. */
  readonly handle: HttpHandler = (res, req) => {
    const { stats, reply, maxUploads } = this.#parts;
    if (this.#open.size >= maxUploads) {
      bump(stats, slot.uploadsRejected);
      const body = `The server has ${maxUploads} uploads in progress, its limit (--max-uploads).\n`;
      reply(res, "/echo", { status: 503, headers: { "Retry-After": "5" }, body });
      return;
    }
    const upload: Upload = {
      res,
      contentType: echoedType(req.getHeader("content-type")),
      queue: new ByteQueue(piecePool),
      hasHead: false,
      isComplete: false,
      isBehind: false,
      isPaused: false,
      progressAt: 0,
      retryAt: 0,
      retryMs: 0,
    };
    countHttp(stats, "/echo", 200);
    this.#open.add(upload);
    stats[slot.uploads] = this.#open.size;
    res.onAborted(() => this.#forget(upload));
    // resume() restores the state that pause() saved; without this call it would restore nothing.
    res.pause();
    res.resume();
    res.onData((chunk, isLast) => this.#receive(upload, chunk, isLast));
  };

  /** From now on an upload is complete only when the kernel has accepted its whole response. */
  drain(): void {
    this.#isDraining = true;
  }

  stop(): void {
    clearInterval(this.#sweep);
    clearImmediate(this.#flushing);
  }

  // `chunk` is invalid once this returns. Writes wait until the callback is over: uWS is using its cork buffer, whose free
  // space is unknown. So does a pause: after the callback uWS tries its unsent bytes again, and if that fails, it reads again.
  #receive(upload: Upload, chunk: ArrayBuffer, isLast: boolean): void {
    const { stats, budget } = this.#parts;
    bump(stats, slot.httpEchoedBytes, chunk.byteLength);
    upload.queue.append(new Uint8Array(chunk));
    upload.isComplete = isLast;
    budget.add(chunk.byteLength);
    upload.isPaused = false;
    this.#dirty.add(upload);
    this.#flushing ??= setImmediate(() => this.#flushDirty());
    budget.enforce();
  }

  #flushDirty(): void {
    this.#flushing = undefined;
    for (const upload of this.#dirty) {
      if (upload.isBehind) {
        this.#pause(upload);
      } else {
        this.#flush(upload);
      }
    }
    this.#dirty.clear();
  }

  /** Writes until the queue is empty or uWS could not send all bytes. */
  #flush(upload: Upload): void {
    const { queue } = upload;
    while (this.#open.has(upload) && !upload.isBehind) {
      const mustAsk = this.#isDraining && upload.isComplete && upload.hasHead;
      if (queue.length > (mustAsk ? lastQuestions : 0)) {
        this.#cork(upload, () => this.#write(upload));
      } else if (upload.isComplete) {
        this.#finish(upload, mustAsk);
      } else {
        this.#resume(upload);
        return;
      }
    }
  }

  /** Writes one piece in a separate cork. */
  #write(upload: Upload): void {
    const { res, queue } = upload;
    const piece = queue.peek(upload.hasHead ? pieceBytes : firstPieceBytes);
    if (!upload.hasHead) {
      this.#writeHead(upload);
      if (upload.isComplete && piece.length === queue.length) {
        this.#end(upload, piece);
        return;
      }
    }
    this.#note(upload, res.write(piece), piece.length);
  }

  #writeHead(upload: Upload): void {
    const { res, contentType } = upload;
    upload.hasHead = true;
    res.writeStatus("200 OK");
    res.writeHeader("Content-Type", contentType);
    res.writeHeader("X-Content-Type-Options", "nosniff");
    res.writeHeader("Cache-Control", "no-store");
  }

  /** @param mustAsk send the end only after the kernel has accepted everything before it */
  #finish(upload: Upload, mustAsk: boolean): void {
    const { res, queue } = upload;
    if (mustAsk && queue.length > 0 && !this.#ask(upload)) {
      return;
    }
    this.#resume(upload);
    this.#cork(upload, () => {
      if (!upload.hasHead) {
        this.#writeHead(upload);
      }
      for (let piece = queue.peek(pieceBytes); piece.length < queue.length; piece = queue.peek(pieceBytes)) {
        this.#note(upload, res.write(piece), piece.length);
      }
      this.#end(upload, queue.peek(pieceBytes));
    });
  }

  #end(upload: Upload, rest: Uint8Array): void {
    upload.res.end(rest);
    this.#forget(upload);
  }

  // uWS's pause() stops reading and writing, so a paused response does not report when it is writable. But every write()
  // first flushes the buffer and returns whether that worked, so a write of one byte is a probe.
  #ask(upload: Upload): boolean {
    const { res, queue } = upload;
    this.#cork(upload, () => this.#note(upload, res.write(queue.peek(1)), 1));
    return !upload.isBehind;
  }

  // A failed write makes uWS read again, and the last write is the flush at the end of the cork. So the pause is renewed
  // after each cork.
  #cork(upload: Upload, write: () => void): void {
    upload.res.cork(write);
    if (upload.isBehind && this.#open.has(upload)) {
      upload.isPaused = false;
      this.#pause(upload);
    }
  }

  /** Records a write, and whether uWS has sent everything before it. */
  #note(upload: Upload, isOut: boolean, bytes: number): void {
    upload.queue.skip(bytes);
    this.#parts.budget.add(-bytes);
    if (isOut) {
      upload.isBehind = false;
      this.#behind.delete(upload);
      return;
    }
    const now = this.#parts.now();
    if (!upload.isBehind) {
      upload.isBehind = true;
      upload.progressAt = now;
      upload.retryMs = retryMs.first;
      this.#behind.add(upload);
      this.#sweep ??= setInterval(() => this.#tryAgain(), retryMs.first);
    }
    upload.retryAt = now + upload.retryMs;
    upload.retryMs = Math.min(2 * upload.retryMs, retryMs.longest);
  }

  #pause(upload: Upload): void {
    if (!upload.isPaused) {
      upload.isPaused = true;
      upload.res.pause();
    }
  }

  #resume(upload: Upload): void {
    if (upload.isPaused) {
      upload.isPaused = false;
      upload.res.resume();
    }
  }

  /** Starts the one timer for all uploads with a slow reader. */
  #tryAgain(): void {
    const { now, stallTimeoutMs } = this.#parts;
    const at = now();
    for (const upload of this.#behind) {
      if (upload.retryAt > at) {
        continue;
      }
      if (!isConnected(upload.res)) {
        // A paused response is not polled, so uWS does not notice.
        upload.res.close();
      } else if (upload.queue.length === 0) {
        // No bytes are left for a probe but those that arrive next. uWS flushes its own buffer.
        this.#resume(upload);
        if (upload.isComplete) {
          this.#finish(upload, false);
        }
      } else if (this.#ask(upload)) {
        this.#flush(upload);
      } else if (stallTimeoutMs > 0 && at - upload.progressAt >= stallTimeoutMs) {
        this.#drop(upload, "stalled");
      }
    }
    if (this.#behind.size === 0) {
      clearInterval(this.#sweep);
      this.#sweep = undefined;
    }
  }

  #drop(upload: Upload | undefined, reason: "buffer_cap" | "stalled"): void {
    if (upload !== undefined) {
      countTermination(this.#parts.stats, reason);
      upload.res.close();
    }
  }

  #forget(upload: Upload): void {
    if (!this.#open.delete(upload)) {
      return;
    }
    this.#behind.delete(upload);
    this.#dirty.delete(upload);
    this.#parts.stats[slot.uploads] = this.#open.size;
    this.#parts.budget.add(-upload.queue.length);
    upload.queue.clear();
  }

  #largest(): Upload | undefined {
    let largest: Upload | undefined;
    for (const upload of this.#open) {
      if (upload.queue.length > (largest?.queue.length ?? 0)) {
        largest = upload;
      }
    }
    return largest;
  }
}

function echoedType(contentType: string): string {
  return contentType === "" || contentType.length > maxContentTypeBytes
    ? "application/octet-stream"
    : contentType;
}
