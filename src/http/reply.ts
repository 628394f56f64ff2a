// Writes and counts one HTTP response. Nothing is buffered for a client that does not read it.
import type { HttpResponse } from "uWebSockets.js";
import { bump, countHttp, type Route, type Stats, slot } from "../metrics/counters.ts";
import { lazily } from "../system/lazy-builtins.ts";
import type { KeepsAlive } from "./connections.ts";
import { createLastReply } from "./last-reply.ts";

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Answers HEAD: headers with the length of the body, but no body. */
  readonly isHead?: boolean;
  /** Closes the connection after the response, so that nothing after it is read as a request. */
  readonly isLast?: boolean;
}

/** Sends a reply and counts it under its route. */
export type SendReply = (res: HttpResponse, route: Route, reply: Reply) => void;

/** Size of uWS's cork buffer, which writes at once what does not fit. */
const corkBytes = 16 * 1024;
/** Responses to pipelined requests share one cork buffer up to this size; the next gets a separate one. */
const pipelinedBytes = corkBytes - 4 * 1024;

/** Statuses without a body (RFC 9110, sections 15.3.5, 15.3.6, 15.4.5). */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);
const empty = new Uint8Array(0);

/**
 * Creates the function that sends responses. uWS buffers without limit what a client does not read, and loses a header
 * that does not fit into its cork buffer if a flush fails. So a body is sent with `tryEnd`, and the rest of it when the
 * socket is writable; uWS disconnects a client that sends another request before that.
 * @param stats where responses are counted
 * @param keepsAlive whether a response leaves its connection open
 */
export function createReply(stats: Stats, keepsAlive: KeepsAlive = () => true): SendReply {
  /** Bytes written to cork buffers in this turn of the event loop, over all connections. */
  let corkedBytes = 0;
  let isTurning = false;
  const writeLast = createLastReply(stats);

  function write(res: HttpResponse, reply: Reply, headers: readonly (readonly [string, string])[]): void {
    const body = typeof reply.body === "string" ? Buffer.from(reply.body) : reply.body;
    const mayHaveBody = !bodiless.has(reply.status);
    res.writeStatus(statusLine(reply));
    for (const [name, value] of headers) {
      res.writeHeader(name, value);
    }
    const hasBody = reply.isHead !== true && mayHaveBody;
    // Without a body it is unknown whether the client reads its responses, so such a response is the last.
    if (reply.isLast === true || !hasBody || !keepsAlive(res)) {
      writeLast(res, mayHaveBody || reply.status === 304 ? body.byteLength : 0, hasBody ? body : empty);
      return;
    }
    const [, isDone] = res.tryEnd(body, body.byteLength);
    if (isDone) {
      return;
    }
    // Not one byte was written, so the client has not read the previous responses either.
    if (res.getWriteOffset() === 0) {
      bump(stats, slot.httpAnswersAborted);
      res.close();
      return;
    }
    finishLater(res, body);
  }

  function finishLater(res: HttpResponse, body: Uint8Array): void {
    bump(stats, slot.httpAnswersWaiting);
    res.onAborted(() => {
      bump(stats, slot.httpAnswersWaiting, -1);
      bump(stats, slot.httpAnswersAborted);
    });
    res.onWritable((offset) => {
      const [isTaken, isDone] = res.tryEnd(body.subarray(offset), body.byteLength);
      if (isDone) {
        bump(stats, slot.httpAnswersWaiting, -1);
      }
      return isTaken;
    });
  }

  return (res, route, reply) => {
    countHttp(stats, route, reply.status);
    const headers = Object.entries({
      ...(bodiless.has(reply.status) ? {} : { "Content-Type": "text/plain; charset=utf-8" }),
      "Cache-Control": "no-store",
      ...reply.headers,
    });
    const headBytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 256);
    if (!isTurning) {
      isTurning = true;
      setImmediate(() => {
        isTurning = false;
        corkedBytes = 0;
      });
    }
    // Until a response is written, uWS reads no further request on its connection.
    if (reply.isLast !== true && corkedBytes + headBytes <= pipelinedBytes) {
      const bodyBytes = reply.isHead === true ? 0 : Buffer.byteLength(reply.body);
      // A body that does not fit flushes the buffer.
      corkedBytes = bodyBytes > corkBytes ? 0 : corkedBytes + headBytes + bodyBytes;
      res.cork(() => write(res, reply, headers));
      return;
    }
    let isGone = false;
    res.onAborted(() => {
      bump(stats, slot.httpAnswersAborted);
      isGone = true;
    });
    setImmediate(() => {
      if (!isGone) {
        res.cork(() => write(res, reply, headers));
      }
    });
  };
}

function statusLine({ status }: Reply): string {
  return `${status} ${lazily.http().STATUS_CODES[status] ?? ""}`;
}

export function json(value: unknown): Pick<Reply, "headers" | "body"> {
  return {
    headers: { "Content-Type": "application/json; charset=utf-8" },
    body: `${JSON.stringify(value, null, 2)}\n`,
  };
}
