// /bench: reads `<seconds> <count> <message>` from the first text and sends the messages, like pywebsocket's handler.
import { onDemand } from "./endpoint.ts";

/** The minimum time between two messages, in milliseconds; also for 0 seconds. */
const minIntervalMs = 10;
const maxIntervalMs = 3_600_000;
const maxCount = 1_000_000;

export const bench = onDemand("bench", {
  open(session) {
    let isStarted = false;
    return {
      message(message, isBinary) {
        if (isStarted) {
          return;
        }
        isStarted = true;
        const order = isBinary ? undefined : readOrder(Buffer.from(message).toString());
        if (order === undefined) {
          session.close(1011, "expected <seconds> <count> <message>");
          return;
        }
        let left = order.count;
        session.every(order.intervalMs, () => {
          // A client that is behind gets the message later.
          if (left > 0 && !session.isBehind && session.push(order.text)) {
            left--;
          }
          if (left === 0) {
            session.close(1000);
          }
          return session.isOpen;
        });
      },
    };
  },
});

function readOrder(text: string): { intervalMs: number; count: number; text: string } | undefined {
  const [, seconds, digits, message = ""] = /^(\d+(?:\.\d+)?) (\d+) (.*)$/s.exec(text) ?? [];
  const [intervalMs, count] = [Number(seconds) * 1000, Number(digits)];
  return intervalMs <= maxIntervalMs && count <= maxCount
    ? { intervalMs: Math.max(minIntervalMs, intervalMs), count, text: message }
    : undefined;
}
