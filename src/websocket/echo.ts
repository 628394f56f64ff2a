// THE HOT PATH: RFC 862 over WebSocket. What a message costs is decided in `message`; all else is set-up or slow path.
import type { CompressOptions, TemplatedApp } from "uWebSockets.js";
import type { Config } from "../config/options.ts";
import type { Endpoint, HttpHandler } from "../http/endpoint.ts";
import { messageSizeBucket, type Stats, slot } from "../metrics/counters.ts";
import { type Backpressure, frameBytes, leastCompressedBytes } from "./backpressure.ts";
import type { Connection, EchoSocket } from "./connection.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { limitMessages, type MessageLimits, payloadLimit } from "./message-limits.ts";

const { textMessages, textBytes, binaryMessages, binaryBytes } = slot;

/** What the echo endpoint needs of the server. */
export interface EchoParts {
  readonly config: Pick<
    Config,
    "maxBackpressure" | "idleTimeout" | "compression" | "compressionMinSize" | "goodbye" | keyof MessageLimits
  >;
  readonly stats: Stats;
  readonly backpressure: Backpressure;
  readonly lifecycle: Lifecycle;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** The compressor of uWS that --compression asks for. */
  readonly compression: CompressOptions;
  /** POST /echo. */
  readonly httpEcho: HttpHandler;
}

/** `/echo`: every message goes back as it came. */
export function createEcho({
  config,
  stats,
  backpressure,
  lifecycle,
  now,
  compression,
  httpEcho,
}: EchoParts): Endpoint {
  const compressFrom = config.compression === "off" ? Number.POSITIVE_INFINITY : config.compressionMinSize;

  // Per message: no allocation, closure, await, log or Map lookup. `message` is dead once this returns.
  function echo(ws: EchoSocket, message: ArrayBuffer, isBinary: boolean): void {
    if (backpressure.isLeaving(ws)) {
      return;
    }
    const bytes = message.byteLength;
    (stats[(isBinary ? binaryMessages : textMessages) + messageSizeBucket(bytes)] as number)++;
    (stats[isBinary ? binaryBytes : textBytes] as number) += bytes;
    const result = ws.send(message, isBinary, bytes >= compressFrom);
    if (result === 1) {
      return; // SENT
    }
    if (result === 0) {
      backpressure.buffered(ws, bytes >= compressFrom ? leastCompressedBytes(bytes) : frameBytes(bytes));
    } else {
      backpressure.dropped(ws, bytes, isBinary);
    }
  }

  function echoUntilGoodbye(ws: EchoSocket, message: ArrayBuffer, isBinary: boolean): void {
    const isGoodbye = !isBinary && message.byteLength === 7 && Buffer.from(message).equals(goodbye);
    echo(ws, message, isBinary);
    if (isGoodbye && lifecycle.isOpen(ws)) {
      backpressure.closeGracefully(ws, 1000, "goodbye");
    }
  }

  return {
    path: "/echo",
    methods: ["GET", "HEAD", "POST"],
    summary: "WebSocket echo; POST streams its body back",
    mount(app: TemplatedApp) {
      app.ws<Connection>("/echo", {
        maxPayloadLength: payloadLimit(config),
        maxBackpressure: config.maxBackpressure,
        idleTimeout: config.idleTimeout / 1000,
        sendPingsAutomatically: true,
        maxLifetime: 0, // counted in minutes and without jitter: --max-lifetime has timers of its own
        compression,
        upgrade: lifecycle.upgrade,
        open: lifecycle.open,
        message: limitMessages(config, backpressure, now, config.goodbye ? echoUntilGoodbye : echo),
        ping: (ws, payload) => backpressure.ponged(ws, payload.byteLength),
        drain: (ws) => backpressure.drained(ws),
        close: lifecycle.close,
      });
      app.get("/echo", lifecycle.explain).head("/echo", lifecycle.explain).post("/echo", httpEcho);
    },
  };
}

const goodbye = Buffer.from("Goodbye");
