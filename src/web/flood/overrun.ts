// Sends far more than is read, and shows where the bytes are buffered.

import type { MessageData } from "../websocket/payload.ts";
import type { OverrunProgress } from "./overrun-outcome.ts";

export interface OverrunPlan {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly payload: MessageData;
  readonly messageBytes: number;
  readonly messages: number;
}

export interface Overrun {
  progress(): OverrunProgress;
  stop(): void;
}

/** Bytes queued at once; the page stays responsive in between. */
const burstBytes = 8 * 1024 * 1024;
/**
 * Chromium (seen in 156) crashes the tab when a connection is cut while a write to its WebSocketStream is pending. So
 * messages are small enough to be written at once to the pipe to its network process, and are paced.
 */
export const unreadMessageBytes = 16 * 1024;
const paceMs = 4;
/** A write that took longer than this found the pipe full, so the next one waits. */
const momentMs = 2;
const longPauseMs = 100;
/** Time that a silent reader waits for the server to act after the last message. */
const silenceMs = 3000;
/** Once a silent reader reads, no echo for this long means that there are no more. */
const drainedMs = 1500;

/** Whether this browser can leave echoes unread (WebSocketStream; the WebSocket API always reads). */
export function canStayUnread(): boolean {
  return "WebSocketStream" in globalThis;
}

/** Sends everything at once and reads the echoes: only bufferedAmount on this side grows. */
export function overrunReading(plan: OverrunPlan): Overrun {
  const socket = new WebSocket(plan.url, [...plan.protocols]);
  socket.binaryType = "arraybuffer";
  const state = createState();

  function push(): void {
    if (state.isOver() || socket.readyState !== WebSocket.OPEN) {
      return;
    }
    for (let burst = 0; burst < burstBytes && state.sent < plan.messages; burst += plan.messageBytes) {
      socket.send(plan.payload);
      state.sent += 1;
    }
    state.waiting(socket.bufferedAmount);
    if (state.sent < plan.messages) {
      setTimeout(push, 0);
    }
  }

  socket.onopen = push;
  socket.onmessage = () => {
    state.echoed += 1;
    if (state.echoed === plan.messages) {
      socket.close(1000, "overrun done");
    }
  };
  socket.onclose = (event) => state.end(event.code);

  return {
    progress() {
      state.waiting(socket.bufferedAmount);
      return state.progress();
    },
    stop: () => socket.close(1000, "overrun stopped"),
  };
}

/** Sends everything and reads nothing until the server has acted or had time to; then reads the rest. */
export function overrunUnread(plan: OverrunPlan): Overrun {
  const state = createState();
  const stream = new WebSocketStream(plan.url, { protocols: [...plan.protocols] });
  const finish = () => stream.close({ closeCode: 1000, reason: "overrun done" });
  stream.closed.then(
    (info) => state.end(info.closeCode),
    () => state.end(1006),
  );
  void drive().catch(() => state.end(1006));

  async function drive(): Promise<void> {
    const { readable, writable } = await stream.opened;
    const writer = writable.getWriter();
    while (state.sent < plan.messages && !state.isOver()) {
      state.sent += 1;
      state.waiting(plan.messageBytes);
      const startMs = performance.now();
      await writer.write(plan.payload);
      state.waiting(0);
      await pause(performance.now() - startMs > momentMs ? longPauseMs : paceMs);
    }
    const writtenMs = performance.now();
    while (!state.isOver() && performance.now() - writtenMs < silenceMs) {
      await pause(100);
    }
    if (!state.isOver()) {
      await drain(readable);
    }
  }

  async function drain(readable: ReadableStream<string | ArrayBuffer>): Promise<void> {
    let timer = setTimeout(finish, drainedMs);
    const reader = readable.getReader();
    for (let echo = await reader.read(); !echo.done; echo = await reader.read()) {
      state.echoed += 1;
      clearTimeout(timer);
      timer = setTimeout(finish, state.echoed === plan.messages ? 0 : drainedMs);
    }
  }

  return { progress: state.progress, stop: finish };
}

function createState() {
  const startMs = performance.now();
  let waitingBytes = 0;
  let peakBytes = 0;
  let endMs: number | undefined;
  let closeCode: number | undefined;
  const state = {
    sent: 0,
    echoed: 0,
    waiting(bytes: number) {
      waitingBytes = bytes;
      peakBytes = Math.max(peakBytes, bytes);
    },
    end(code: number | undefined) {
      endMs ??= performance.now();
      closeCode ??= code;
    },
    isOver: () => endMs !== undefined,
    progress: (): OverrunProgress => ({
      waitingBytes: endMs === undefined ? waitingBytes : 0,
      peakBytes,
      sent: state.sent,
      echoed: state.echoed,
      elapsedMs: (endMs ?? performance.now()) - startMs,
      isOver: endMs !== undefined,
      closeCode,
    }),
  };
  return state;
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
