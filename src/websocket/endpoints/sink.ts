// /sink: takes messages, and tells from time to time how many.
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
