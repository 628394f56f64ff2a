// Writes the last response of a connection, without buffering it for a client that does not read it.
import type { HttpResponse } from "uWebSockets.js";
import { bump, type Stats, slot } from "../metrics/counters.ts";

/** Time for a client to close its side after the last response of its connection, in milliseconds. */
const lastLingerMs = 1000;

/**
 * Creates the function that writes the body of last responses, after status and headers. The length is what the response
 * claims; the body is empty if it may not have one (HEAD).
 * @param stats where waiting and aborted responses are counted
 */
export function createLastReply(stats: Stats): (res: HttpResponse, length: number, body: Uint8Array) => void {
  // In the binaries for Node 22 and later a tryEnd() without bytes completes the response, as HEAD needs it: found out at
  // the first one, whose connection uWS closes when idle. In older ones endWithoutBody() with a length never completes.
  let completesEmpty = false;

  /** Sends the rest of a body that does not complete its response, and closes the connection later. */
  function keepOpen(res: HttpResponse, body: Uint8Array): void {
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
    if (!offer(res.getWriteOffset())) {
      res.onWritable((offset) => closing !== undefined || offer(offset));
    }
  }

  // uWS can end a connection only after a response that it buffers. So this response stays open: the first tryEnd() has
  // the length and one byte, later ones claim one byte more. On another request uWS disconnects the client.
  return (res, length, body) => {
    if (length === 0 || body.byteLength === 1) {
      res.end(body, true);
      return;
    }
    if (body.byteLength === 0 && completesEmpty) {
      res.endWithoutBody(length, true);
      return;
    }
    res.writeHeader("Connection", "close");
    const [, isDone] = res.tryEnd(body.subarray(0, 1), length);
    if (isDone) {
      completesEmpty = true;
    } else {
      keepOpen(res, body);
    }
  };
}
