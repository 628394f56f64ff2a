// Writes and counts one HTTP response. Nothing is buffered for a client that does not read it.
import type { HttpResponse } from "uWebSockets.js";
import { STATUS_CODES } from "node:http";
import { bump, countHttp, type Route, type Stats, slot } from "../metrics/counters.ts";
import type { KeepsAlive } from "./connections.ts";

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Answers HEAD: the headers, with the length that the body would have, and no body. */
  readonly isHead?: boolean;
  /** Nothing that follows on this connection is a request: it is closed after the answer. */
  readonly isLast?: boolean;
}

/** Sends a reply and counts it under its route. */
export type SendReply = (res: HttpResponse, route: Route, reply: Reply) => void;

/** uWS's cork buffer; it writes what does not fit at once. */
const corkBytes = 16 * 1024;
/** Answers to pipelined requests are collected in one cork buffer; beyond this, the next gets one of its own. */
const pipelinedBytes = corkBytes - 4 * 1024;

/** How long a client may take to close its side after the last answer of its connection, in milliseconds. */
const lastLingerMs = 1000;
/** Statuses without a body (RFC 9110, sections 15.3.5, 15.3.6, 15.4.5). */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);
const empty = new Uint8Array(0);

/**
 * uWS keeps what a client does not take, without a limit, and forgets a header that does not fit into its cork buffer
 * when flushing that fails. So a body is only offered (`tryEnd`), and what is left of it goes out when the socket can
 * be written; a client that asks for more before that is cut off by uWS.
 * @param stats where responses are counted
 * @param keepsAlive whether an answer leaves its connection open
 */
export function createReply(stats: Stats, keepsAlive: KeepsAlive = () => true): SendReply {
  /** Bytes that went into cork buffers since the loop last turned; those of one connection cannot be told apart. */
  let corkedBytes = 0;
  let isTurning = false;

  function write(res: HttpResponse, reply: Reply, headers: readonly (readonly [string, string])[]): void {
    const body = typeof reply.body === "string" ? Buffer.from(reply.body) : reply.body;
    const mayHaveBody = !bodiless.has(reply.status);
    res.writeStatus(statusLine(reply));
    for (const [name, value] of headers) {
      res.writeHeader(name, value);
    }
    const hasBody = reply.isHead !== true && mayHaveBody;
    // Without a body nothing tells whether the client takes its answers, so such an answer is the last.
    if (reply.isLast === true || !hasBody || !keepsAlive(res)) {
      writeLast(res, mayHaveBody || reply.status === 304 ? body.byteLength : 0, hasBody ? body : empty);
      return;
    }
    const [, isDone] = res.tryEnd(body, body.byteLength);
    if (isDone) {
      return;
    }
    // Not one byte taken: the answers before this one have not been read either.
    if (res.getWriteOffset() === 0) {
      bump(stats, slot.httpAnswersAborted);
      res.close();
      return;
    }
    finishLater(res, body);
  }

  // uWS can only end a connection after an answer that it buffers. So this one stays open for uWS: the first offer has
  // the length and no bytes, later ones claim a byte more. Should the client ask for more, uWS cuts it off.
  function writeLast(res: HttpResponse, length: number, body: Uint8Array): void {
    if (length === 0) {
      res.end("", true);
      return;
    }
    res.writeHeader("Connection", "close");
    res.tryEnd("", length);
    let closing: NodeJS.Timeout | undefined;
    const offer = (offset: number): boolean => {
      const isTaken = offset === body.byteLength || res.tryEnd(body.subarray(offset), body.byteLength + 1)[0];
      if (isTaken) {
        closing ??= setTimeout(() => res.close(), lastLingerMs).unref();
        bump(stats, slot.httpAnswersWaiting, -1);
      }
      return isTaken;
    };
    bump(stats, slot.httpAnswersWaiting);
    res.onAborted(() => {
      if (closing === undefined) {
        bump(stats, slot.httpAnswersWaiting, -1);
        bump(stats, slot.httpAnswersAborted);
      }
      clearTimeout(closing);
    });
    if (!offer(0)) {
      res.onWritable((offset) => closing !== undefined || offer(offset));
    }
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
    // Until an answer is written, uWS takes no further request on its connection.
    if (reply.isLast !== true && corkedBytes + headBytes <= pipelinedBytes) {
      const bodyBytes = reply.isHead === true ? 0 : Buffer.byteLength(reply.body);
      // A body that does not fit takes the buffer along.
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
  return `${status} ${STATUS_CODES[status] ?? ""}`;
}

export function json(value: unknown): Pick<Reply, "headers" | "body"> {
  return {
    headers: { "Content-Type": "application/json; charset=utf-8" },
    body: `${JSON.stringify(value, null, 2)}\n`,
  };
}
