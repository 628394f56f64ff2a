// Sends server-sent events (HTML standard, section 9.2), numbered and timed. Skips events while the previous one is unsent.
import type { HttpResponse } from "uWebSockets.js";
import type { BufferBudget } from "../lib/buffer-budget.ts";
import { ByteQueue } from "../lib/byte-queue.ts";
import { bump, countHttp, countTermination, endpointSlot, type Stats, slot } from "../metrics/counters.ts";
import { pieceBytes, piecePool } from "./pieces.ts";

/** Interval of comments that keep a slow stream from being considered dead, in milliseconds. */
const commentIntervalMs = 15_000;

/** The parameters of a stream. */
export interface StreamOptions {
  /** Milliseconds between two events. */
  readonly interval: number;
  /** Number of events; unlimited if undefined. */
  readonly count?: number | undefined;
  /** Bytes of each event's data, padded with blanks. */
  readonly size?: number | undefined;
}

interface Stream {
  readonly res: HttpResponse;
  /** Bytes not yet passed to uWS: at most one event. */
  readonly queue: ByteQueue;
  readonly done: () => void;
  number: number;
  /** uWS could not send all bytes. */
  isBehind: boolean;
  /** No more events follow. */
  isOver: boolean;
  timers: readonly NodeJS.Timeout[];
}

export class EventStreams {
  readonly #stats: Stats;
  readonly #budget: BufferBudget;
  readonly #open = new Set<Stream>();
  #isDraining = false;

  constructor(stats: Stats, budget: BufferBudget) {
    this.#stats = stats;
    this.#budget = budget;
    budget.join({
      largest: () => this.#largest()?.queue.length ?? 0,
      dropLargest: () => this.#dropLargest(),
    });
  }

  /** Streams that have not ended. */
  get size(): number {
    return this.#open.size;
  }

  /** @param done called once the stream has ended for any reason */
  open(res: HttpResponse, { interval, count, size = 0 }: StreamOptions, done: () => void): void {
    const stream: Stream = {
      res,
      queue: new ByteQueue(piecePool),
      done,
      number: 0,
      isBehind: false,
      isOver: false,
      timers: [],
    };
    countHttp(this.#stats, "on_demand", 200);
    this.#open.add(stream);
    res.onAborted(() => this.#forget(stream));
    // uWS may be in the middle of a write, here and in the callback, so the next write has to wait.
    res.onWritable(() => {
      setImmediate(() => this.#continue(stream));
      return true;
    });
    setImmediate(() => this.#start(stream));
    stream.timers = [
      setInterval(() => this.#tick(stream, count, size), interval),
      setInterval(() => this.#append(stream, ":\n\n"), commentIntervalMs),
    ];
  }

  /** Ends every stream after its current event. */
  drain(): void {
    this.#isDraining = true;
    for (const stream of this.#open) {
      this.#finish(stream);
    }
  }

  #start(stream: Stream): void {
    if (!this.#open.has(stream)) {
      return;
    }
    const { res } = stream;
    res.cork(() => {
      res.writeStatus("200 OK");
      res.writeHeader("Content-Type", "text/event-stream");
      res.writeHeader("Cache-Control", "no-store");
      res.writeHeader("X-Content-Type-Options", "nosniff");
      // Keeps nginx from buffering the events.
      res.writeHeader("X-Accel-Buffering", "no");
      res.write(":\n\n");
    });
    if (this.#isDraining) {
      this.#finish(stream);
    }
  }

  #tick(stream: Stream, count: number | undefined, size: number): void {
    stream.number++;
    // Skipped events are numbered too, so that a client notices them.
    const data = JSON.stringify({ tick: stream.number, time: new Date().toISOString() }).padEnd(size);
    if (this.#append(stream, `id: ${stream.number}\ndata: ${data}\n\n`)) {
      bump(this.#stats, endpointSlot(slot.messagesPushed, "sse"));
      bump(this.#stats, slot.pushedBytes, data.length);
    } else {
      bump(this.#stats, slot.ticksSkipped);
    }
    if (stream.number === count) {
      this.#finish(stream);
    }
  }

  /** Sends a text, unless bytes are still unsent. */
  #append(stream: Stream, text: string): boolean {
    if (stream.queue.length > 0 || stream.isBehind) {
      return false;
    }
    const bytes = Buffer.from(text);
    stream.queue.append(bytes);
    this.#budget.add(bytes.length);
    this.#flush(stream);
    this.#budget.enforce();
    return true;
  }

  #flush(stream: Stream): void {
    const { res, queue } = stream;
    while (queue.length > 0 && !stream.isBehind) {
      res.cork(() => {
        const piece = queue.peek(pieceBytes);
        stream.isBehind = !res.write(piece);
        queue.skip(piece.length);
        this.#budget.add(-piece.length);
      });
    }
    if (stream.isOver && queue.length === 0) {
      res.cork(() => res.end());
      this.#forget(stream);
    }
  }

  /** Continues when the socket is writable again. */
  #continue(stream: Stream): void {
    if (!this.#open.has(stream)) {
      return;
    }
    stream.isBehind = false;
    if (stream.queue.length > 0) {
      this.#flush(stream);
    } else {
      // Flushes uWS's buffer: with a handler, uWS does not do it by itself.
      stream.res.cork(() => undefined);
    }
  }

  #finish(stream: Stream): void {
    stream.isOver = true;
    for (const timer of stream.timers) {
      clearInterval(timer);
    }
    this.#flush(stream);
  }

  #dropLargest(): void {
    const largest = this.#largest();
    if (largest !== undefined) {
      countTermination(this.#stats, "buffer_cap");
      largest.res.close();
    }
  }

  #forget(stream: Stream): void {
    if (!this.#open.delete(stream)) {
      return;
    }
    for (const timer of stream.timers) {
      clearInterval(timer);
    }
    this.#budget.add(-stream.queue.length);
    stream.queue.clear();
    stream.done();
  }

  #largest(): Stream | undefined {
    let largest: Stream | undefined;
    for (const stream of this.#open) {
      if (stream.queue.length > (largest?.queue.length ?? 0)) {
        largest = stream;
      }
    }
    return largest;
  }
}
