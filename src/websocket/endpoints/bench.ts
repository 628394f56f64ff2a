// /bench: `<seconds> <count> <message>` as the first text, as pywebsocket's handler of that name.
import { onDemand } from "./endpoint.ts";

/** The shortest time between two messages, in milliseconds; also for 0 seconds. */
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
          // A client that is behind gets its message later.
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
