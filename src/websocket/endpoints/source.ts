// /source: sends binary messages, as fast as the client reads or at a rate.
import { onDemand } from "./endpoint.ts";
import type { Session } from "./session.ts";

/** Bytes sent before other connections get their turn. */
const turnBytes = 256 * 1024;
/** Interval of sends at a rate, in milliseconds. */
const rateIntervalMs = 10;

// 0 to 255, repeated, so that a client can check what it receives.
const pattern = Buffer.alloc(
  1024 * 1024,
  Uint8Array.from({ length: 256 }, (_, i) => i),
);

export const source = onDemand("source", {
  open(session, { size, total, rate }) {
    let leftBytes = total;
    /** Sends messages of at most this many bytes in total, while none is buffered. */
    const send = (bytes: number): number => {
      let sentBytes = 0;
      while (leftBytes > 0 && sentBytes < bytes && session.isOpen && !session.isBehind) {
        const next = Math.min(size, leftBytes);
        if (!session.push(pattern.subarray(0, next), true)) {
          break;
        }
        sentBytes += next;
        leftBytes -= next;
      }
      if (leftBytes === 0 && session.isOpen) {
        session.close(1000);
      }
      return sentBytes;
    };
    return rate === undefined ? sendFreely(session, send) : sendAtRate(session, send, rate);
  },
});

type Send = (bytes: number) => number;

function sendFreely(session: Session, send: Send) {
  let isScheduled = false;
  const turn = (): void => {
    isScheduled = false;
    session.cork(() => send(turnBytes));
    schedule();
  };
  // A client that is behind continues on drain.
  const schedule = (): void => {
    if (!isScheduled && session.isOpen && !session.isBehind) {
      isScheduled = true;
      setImmediate(turn);
    }
  };
  schedule();
  return { drain: schedule };
}

function sendAtRate(session: Session, send: Send, bytesPerSecond: number) {
  const { now } = session.parts;
  let dueBytes = 0;
  let at = now();
  session.every(rateIntervalMs, () => {
    const passedMs = now() - at;
    at += passedMs;
    // A slow client catches up by at most a second.
    dueBytes = Math.min(dueBytes + (passedMs * bytesPerSecond) / 1000, bytesPerSecond);
    dueBytes -= dueBytes > 0 ? send(dueBytes) : 0;
    return session.isOpen;
  });
  return {};
}
