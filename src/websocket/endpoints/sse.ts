// /sse: sends server-sent events over plain HTTP.
import type { EventStreams } from "../../http/event-streams.ts";
import { onDemand } from "./endpoint.ts";

export const createSse = (streams: EventStreams) =>
  onDemand("sse", {
    respond({ res, isHead, reply, done }, asked) {
      if (isHead) {
        done();
        reply({ status: 200, headers: { "Content-Type": "text/event-stream" }, body: "" });
      } else {
        streams.open(res, asked, done);
      }
    },
  });
