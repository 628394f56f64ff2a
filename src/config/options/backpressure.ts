// Options for slow readers.
import { defaultMaxBuffered } from "../../system/resources.ts";
import { choice, duration, size } from "../option.ts";

const kiB = 1024;
const miB = 1024 * kiB;
const giB = 1024 * miB;
const seconds = (milliseconds: number): number => milliseconds / 1000;

export const backpressure = {
  maxBackpressure: size({
    group: "Backpressure",
    help: "bytes buffered for one slow reader, at least --max-payload; the peak is one message higher",
    min: 1,
    max: giB,
    default: 16 * miB,
    limit: {
      name: "backpressure_bytes",
      help: "Bytes that may be buffered for one slow reader",
      value: Number,
      outcome: "as --on-backpressure says",
      countedBy: [
        'echo_connections_terminated_total{reason="backpressure"}',
        'echo_sends_total{result="dropped"}',
      ],
    },
  }),
  maxBuffered: size({
    group: "Backpressure",
    help: "bytes buffered for all slow readers together; above this, the one with the most is closed",
    min: 64 * kiB,
    max: 1024 * giB,
    default: defaultMaxBuffered,
    defaultNote: "a quarter of the memory limit",
    limit: {
      name: "buffered_bytes",
      help: "Bytes that may be buffered for all slow readers together",
      value: Number,
      outcome: "the connection with the largest buffer is closed, then the next, until the rest fits",
      countedBy: ['echo_connections_terminated_total{reason="buffer_cap"}'],
    },
  }),
  stallTimeout: duration({
    group: "Backpressure",
    help: "closes a connection that has bytes buffered and reads none for this long",
    min: 100,
    max: 3_600_000,
    off: true,
    default: 30_000,
    limit: {
      name: "stall_timeout_seconds",
      help: "Time without progress after which a slow reader is closed, 0 for never",
      value: seconds,
      outcome: "the connection is closed",
      countedBy: ['echo_connections_terminated_total{reason="stalled"}'],
    },
  }),
  onBackpressure: choice({
    group: "Backpressure",
    help: "at --max-backpressure: close the connection, or drop the echo and count it",
    choices: ["close", "drop"],
    default: "close",
  }),
};
