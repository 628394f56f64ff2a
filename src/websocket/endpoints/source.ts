// /source: binary messages, as fast as the client reads or as a rate allows.
import { onDemand } from "./endpoint.ts";
import type { Session } from "./session.ts";

/** Bytes that go out before other connections get their turn. */
const turnBytes = 256 * 1024;
/** How often a rate lets messages out, in milliseconds. */
const rateIntervalMs = 10;

// 0 to 255 again and again: what a client gets can be checked.
const pattern = Buffer.alloc(
  1024 * 1024,
  Uint8Array.from({ length: 256 }, (_, i) => i),
);

export const source = onDemand("source", {
  open(session, { size, total, rate }) {
    let leftBytes = total;
    /** Sends messages of at most so many bytes in all, as long as none waits. */
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
  // A client that is behind is served again on drain.
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
    // What a client did not take in time is not made up for beyond a second.
    dueBytes = Math.min(dueBytes + (passedMs * bytesPerSecond) / 1000, bytesPerSecond);
    dueBytes -= dueBytes > 0 ? send(dueBytes) : 0;
    return session.isOpen;
  });
  return {};
}
