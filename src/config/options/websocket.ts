// Options for WebSocket connections.

import * as z from "zod";
import { tokenPattern } from "../../lib/token.ts";
import { defaultMaxPayload } from "../../system/resources.ts";
import { choice, commaList, duration, option, rate, size, toggle } from "../option.ts";

const kiB = 1024;
const miB = 1024 * kiB;
const giB = 1024 * miB;
const seconds = (milliseconds: number): number => milliseconds / 1000;

export const websocket = {
  maxPayload: size({
    group: "WebSocket",
    help: "largest message, after decompression; a larger one ends the connection without a close frame (1006)",
    min: 1,
    max: giB,
    default: defaultMaxPayload,
    defaultNote: "from 64KiB to 16MiB, a 256th of the memory limit",
    limit: {
      name: "payload_bytes",
      help: "Largest message accepted, in bytes",
      value: Number,
      outcome: "the connection is dropped without a close frame (1006)",
      countedBy: ['echo_connections_closed_total{code="1006"}'],
    },
  }),
  subprotocols: option<"any" | "none" | readonly string[]>({
    group: "WebSocket",
    type: "string | readonly string[]",
    placeholder: "<a,b|any|none>",
    help: "supported sub-protocols, best first; any accepts the client's first offer, none accepts no sub-protocol",
    expected: "any, none, or sub-protocol names (RFC 6455 tokens) separated by commas",
    schema: z.union([
      z.enum(["any", "none"]),
      z
        .string()
        .transform(commaList)
        .pipe(z.array(z.string().regex(tokenPattern)).min(1)),
      z.array(z.string().regex(tokenPattern)).min(1),
    ]),
    default: "any",
    format: (value) => (typeof value === "string" ? value : value.join(",")),
  }),
  compression: choice({
    group: "WebSocket",
    help: "permessage-deflate: one compressor for all, or one per connection, with a window of 512 bytes (for small, similar messages)",
    choices: ["off", "shared", "dedicated"],
    default: "off",
  }),
  compressionMinSize: size({
    group: "WebSocket",
    help: "replies smaller than this are sent uncompressed",
    min: 0,
    max: giB,
    default: kiB,
  }),
  idleTimeout: duration({
    group: "WebSocket",
    help: "drops a connection that is silent for this long; it is pinged about 16 s before",
    // uWS aborts the process for 1 to 7 s and above 960 s.
    min: 8000,
    max: 960_000,
    off: true,
    whole: "seconds",
    default: 50_000,
    limit: {
      name: "idle_timeout_seconds",
      help: "Silence after which a connection is dropped, 0 for never",
      value: seconds,
      outcome: "a ping is sent about 16 s before; then the connection is dropped",
      countedBy: ['echo_connections_closed_total{code="1006"}'],
    },
  }),
  maxLifetime: duration({
    group: "WebSocket",
    help: "closes each connection with 1001 at this age, or up to 10 % earlier at random",
    min: 100,
    max: 7 * 86_400_000,
    off: true,
    default: 0,
    limit: {
      name: "lifetime_seconds",
      help: "Age at which a connection is closed, 0 for never",
      value: seconds,
      outcome: "the connection is closed with 1001, up to 10 % earlier at random",
      countedBy: ['echo_connections_terminated_total{reason="lifetime"}'],
    },
  }),
  maxMessageRate: rate({
    group: "WebSocket",
    help: "messages per second of one connection, with a burst of as many; beyond that it is closed with 1008; 0 is off",
    min: 0,
    max: 10_000_000,
    default: 0,
    limit: {
      name: "messages_per_second",
      help: "Messages that one connection may send per second, 0 for no limit",
      value: Number,
      outcome: "the connection is closed with 1008",
      countedBy: ['echo_connections_terminated_total{reason="message_rate"}'],
    },
  }),
  maxReceiveRate: size({
    group: "WebSocket",
    help: "bytes per second of one connection, after decompression, with a burst of as many or of --max-payload; beyond that it is closed with 1008; 0 is off",
    min: 0,
    max: giB,
    default: 0,
    limit: {
      name: "received_bytes_per_second",
      help: "Bytes after decompression that one connection may send per second, 0 for no limit",
      value: Number,
      outcome: "the connection is closed with 1008",
      countedBy: ['echo_connections_terminated_total{reason="receive_rate"}'],
    },
  }),
  goodbye: toggle({
    group: "WebSocket",
    help: "echoes the text Goodbye and then closes with 1000, as pywebsocket's echo handler does",
    default: false,
  }),
};
