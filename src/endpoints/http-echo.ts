// POST /echo: streams a body back while it comes in. Holds one chunk at a time, whatever the size of the body.
import type { HttpResponse } from "uWebSockets.js";
import { bump, countHttp, type Stats, slot } from "../stats.ts";
import type { HttpHandler } from "./endpoint.ts";

/** Responses that are under way; shutdown waits for them. */
export type Uploads = Set<HttpResponse>;

/**
 * @param uploads kept up to date with the responses under way
 * @param stallTimeoutMs a reader that takes nothing for this long is dropped; 0 for never
 */
export function createHttpEcho(stats: Stats, uploads: Uploads, stallTimeoutMs: number): HttpHandler {
  return (res, req) => {
    const contentType = req.getHeader("content-type");
    let stall: NodeJS.Timeout | undefined;
    let isPaused = false;
    uploads.add(res);
    countHttp(stats, "/echo", 200);

    const finish = (): void => {
      clearTimeout(stall);
      uploads.delete(res);
    };
    res.onAborted(finish);
    res.onWritable(() => {
      clearTimeout(stall);
      if (isPaused) {
        isPaused = false;
        res.resume();
      }
      return true;
    });
    res.writeStatus("200 OK");
    res.writeHeader("Content-Type", contentType === "" ? "application/octet-stream" : contentType);
    res.writeHeader("Cache-Control", "no-store");
    res.onData((chunk, isLast) => {
      bump(stats, slot.httpEchoedBytes, chunk.byteLength);
      if (isLast) {
        finish();
        res.cork(() => res.end(chunk));
        return;
      }
      // A reader that stops must stop the upload: what it has not taken is our memory.
      if (chunk.byteLength > 0 && !res.write(chunk) && !isPaused) {
        isPaused = true;
        res.pause();
        if (stallTimeoutMs > 0) stall = setTimeout(() => res.close(), stallTimeoutMs).unref();
      }
    });
  };
}
