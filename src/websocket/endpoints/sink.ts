// /sink: receives messages, and acknowledges them at an interval with a text of the totals.
import { onDemand } from "./endpoint.ts";

export const sink = onDemand("sink", {
  open(session, { ack }) {
    if (ack === undefined) {
      return {};
    }
    let messages = 0;
    let bytes = 0;
    return {
      message(message) {
        messages++;
        bytes += message.byteLength;
        if (messages % ack === 0) {
          session.push(JSON.stringify({ messages, bytes }));
        }
      },
    };
  },
});
