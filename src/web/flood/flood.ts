// Sends messages as fast as echoes return, and measures. The caller passes the socket and the clock.

import { createHistogram, type Histogram } from "../ui/histogram.ts";
import type { MessageData } from "../websocket/payload.ts";

/** What to send and when to stop. */
export interface FloodPlan {
  readonly payload: MessageData;
  /** Maximum of messages in flight. */
  readonly depth: number;
  readonly stopAfter: { readonly messages: number } | { readonly seconds: number };
}

/** The part of a WebSocket that a flood uses. */
export interface FloodSocket {
  readonly bufferedAmount: number;
  send(data: MessageData): void;
  close(code: number, reason: string): void;
}

export type FloodEnd = "running" | "done" | "stopped" | "stalled" | "closed";

export interface FloodProgress {
  readonly sent: number;
  readonly echoed: number;
  /** Echoes with another length or type than the message. */
  readonly wrong: number;
  /** From the first send to the last echo, or to now while it runs. */
  readonly elapsedMs: number;
  readonly histogram: Histogram;
  readonly bufferedAmount: number;
  readonly end: FloodEnd;
  /** The close code, if the server or the network ended it. */
  readonly closeCode: number | undefined;
}

/** A running flood. Pass the events of the socket to it. */
export interface Flood {
  opened(): void;
  /** @param data a string or an ArrayBuffer */
  received(data: unknown): void;
  closed(code: number): void;
  progress(): FloodProgress;
  stop(): void;
  /** Ends a flood that has stalled or whose time is over; call it a few times a second. */
  tick(): void;
}

/** Time without an echo after which the flood has stalled, while messages are outstanding. */
const stallMs = 10_000;

/** @param now a monotonic clock in ms, with a high resolution */
export function startFlood(plan: FloodPlan, socket: FloodSocket, now: () => number): Flood {
  const histogram = createHistogram();
  // A ring of send times, because an echo server keeps the order of messages.
  const sentAtMs = new Float64Array(plan.depth);
  const limit = "messages" in plan.stopAfter ? plan.stopAfter.messages : Number.POSITIVE_INFINITY;
  const durationMs = "seconds" in plan.stopAfter ? plan.stopAfter.seconds * 1000 : Number.POSITIVE_INFINITY;
  let sent = 0;
  let echoed = 0;
  let wrong = 0;
  let startMs = Number.NaN;
  let lastMs = now();
  let end: FloodEnd = "running";
  let closeCode: number | undefined;

  function fill(atMs: number): void {
    while (sent - echoed < plan.depth && sent < limit && atMs - startMs < durationMs) {
      sentAtMs[sent % plan.depth] = now();
      sent += 1;
      socket.send(plan.payload);
    }
  }

  function finish(how: FloodEnd): void {
    if (end !== "running") {
      return;
    }
    end = how;
    socket.close(1000, `flood ${how}`);
  }

  return {
    opened() {
      startMs = now();
      lastMs = startMs;
      fill(startMs);
    },
    received(data) {
      if (end !== "running") {
        return;
      }
      lastMs = now();
      histogram.record((lastMs - (sentAtMs[echoed % plan.depth] ?? lastMs)) * 1000);
      echoed += 1;
      if (!sameShape(data, plan.payload)) {
        wrong += 1;
      }
      fill(lastMs);
      if (echoed === sent) {
        finish("done");
      }
    },
    closed(code) {
      if (end !== "running") {
        return;
      }
      end = "closed";
      closeCode = code;
    },
    progress: () => ({
      sent,
      echoed,
      wrong,
      elapsedMs: Number.isNaN(startMs) ? 0 : lastMs - startMs,
      histogram,
      bufferedAmount: socket.bufferedAmount,
      end,
      closeCode,
    }),
    stop: () => finish("stopped"),
    tick() {
      if (now() - lastMs > stallMs) {
        finish("stalled");
      }
    },
  };
}

function sameShape(data: unknown, payload: MessageData): boolean {
  if (typeof data === "string") {
    return typeof payload === "string" && data.length === payload.length;
  }
  return data instanceof ArrayBuffer && typeof payload !== "string" && data.byteLength === payload.length;
}
