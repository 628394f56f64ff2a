// POST /echo: streams a body back as it arrives. Everything goes to uWS in pieces that fit into its cork buffer: it
// forgets a larger write when flushing that buffer fails. A reader that stops also stops its upload.
import type { HttpResponse } from "uWebSockets.js";
import type { BufferBudget } from "../lib/buffer-budget.ts";
import { ByteQueue } from "../lib/byte-queue.ts";
import { bump, countHttp, countTermination, type Stats, slot } from "../metrics/counters.ts";
import type { HttpHandler } from "./endpoint.ts";
import { firstPieceBytes, pieceBytes, piecePool } from "./pieces.ts";
import type { SendReply } from "./reply.ts";

/** A longer content type is not sent back, since the head must fit as well. */
const maxContentTypeBytes = 1024;
/** Bytes to ask with while shutting down: each question takes one. */
const lastQuestions = 512;
/** How often readers that have fallen behind are tried again, in milliseconds: at first, and when they do not move. */
const retryMs = { first: 10, longest: 250 };

interface Upload {
  readonly res: HttpResponse;
  readonly contentType: string;
  /** What came in and has not been handed to uWS. */
  readonly queue: ByteQueue;
  hasHead: boolean;
  /** The whole body has come in. */
  isComplete: boolean;
  /** uWS could not send all that it was given. */
  isBehind: boolean;
  isPaused: boolean;
  /** When bytes last left, in milliseconds; only has a meaning while it is behind. */
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
  /** Uploads under way; more are refused with 503. */
  readonly maxUploads: number;
  /** A reader that has not taken what waits for this long is dropped, in milliseconds; 0 for never. */
  readonly stallTimeoutMs: number;
}

/** All uploads under way. */
export class Uploads {
  readonly #parts: UploadsParts;
  readonly #open = new Set<Upload>();
  readonly #behind = new Set<Upload>();
  /** Have something to write once uWS's own callbacks are over. */
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

  /** Uploads whose answer is not out yet. */
  get size(): number {
    return this.#open.size;
  }

  /** Answers POST /echo. */
  readonly handle: HttpHandler = (res, req) => {
    const { stats, reply, maxUploads } = this.#parts;
    if (this.#open.size >= maxUploads) {
      bump(stats, slot.uploadsRejected);
      const body = `The server has ${maxUploads} uploads under way, its limit (--max-uploads).\n`;
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
    // resume() restores what a pause() saw when as little was buffered; without this it would restore nothing at all.
    res.pause();
    res.resume();
    res.onData((chunk, isLast) => this.#receive(upload, chunk, isLast));
  };

  /** From now on an upload is done only when the system has taken its whole answer. */
  drain(): void {
    this.#isDraining = true;
  }

  stop(): void {
    clearInterval(this.#sweep);
    clearImmediate(this.#flushing);
  }

  // `chunk` is dead once this returns. uWS has its cork buffer in use here, and how much of it is taken cannot be known:
  // so nothing is written before it is done.
  #receive(upload: Upload, chunk: ArrayBuffer, isLast: boolean): void {
    const { stats, budget } = this.#parts;
    bump(stats, slot.httpEchoedBytes, chunk.byteLength);
    upload.queue.append(new Uint8Array(chunk));
    upload.isComplete = isLast;
    budget.add(chunk.byteLength);
    if (upload.isBehind) {
      this.#pause(upload);
    } else {
      this.#dirty.add(upload);
      this.#flushing ??= setImmediate(() => this.#flushDirty());
    }
    budget.enforce();
  }

  #flushDirty(): void {
    this.#flushing = undefined;
    for (const upload of this.#dirty) {
      this.#flush(upload);
    }
    this.#dirty.clear();
  }

  /** Writes until nothing is left, or until uWS says that it could not send all that it was given. */
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

  /** Writes one piece, inside a cork of its own. */
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

  /** @param mustAsk the end may only go out when all before it is with the system */
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

  // uWS's pause() stops reading and writing alike, so a paused response cannot tell when it can be written again. But
  // every write() first tries to send what is buffered and says whether that worked: one byte does for a question.
  #ask(upload: Upload): boolean {
    const { res, queue } = upload;
    this.#cork(upload, () => this.#note(upload, res.write(queue.peek(1)), 1));
    return !upload.isBehind;
  }

  // A write that fails makes uWS read again, and the one that fails last is that of the end of the cork: so pausing is
  // renewed after each.
  #cork(upload: Upload, write: () => void): void {
    upload.res.cork(write);
    if (upload.isBehind && this.#open.has(upload)) {
      upload.isPaused = false;
      this.#pause(upload);
    }
  }

  /** uWS took bytes, and has sent all that came before them or not. */
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

  /** One timer for all uploads whose reader has fallen behind. */
  #tryAgain(): void {
    const { now, stallTimeoutMs } = this.#parts;
    const at = now();
    for (const upload of this.#behind) {
      if (upload.retryAt > at) {
        continue;
      }
      if (upload.queue.length === 0) {
        // Nothing is left to ask with but what comes next. uWS sends its own buffer by itself.
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
