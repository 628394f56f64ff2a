// THE HOT PATH: RFC 862 over WebSocket. Only `echo` runs for each message; all else is set-up or slow path.
import type { CompressOptions, TemplatedApp, WebSocketBehavior } from "uWebSockets.js";
import type { Config } from "../config/options.ts";
import type { Endpoint, HttpHandler } from "../http/endpoint.ts";
import { asksForMore } from "../lib/echo-modifiers.ts";
import { messageSizeBucket, type Stats, slot } from "../metrics/counters.ts";
import { type Backpressure, frameBytes, leastCompressedBytes } from "./backpressure.ts";
import type { EchoSocket, SocketData } from "./connection.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { limitMessages, type MessageLimits } from "./message-limits.ts";
import { socketOptions } from "./socket-options.ts";
import type { Upgrade } from "./upgrade.ts";

const { textMessages, textBytes, binaryMessages, binaryBytes } = slot;

/** The parts of the server that the echo endpoint uses. */
export interface EchoParts {
  readonly config: Pick<
    Config,
    | "maxBackpressure"
    | "idleTimeout"
    | "compressionMinSize"
    | "goodbye"
    | "echoPaths"
    | "endpoints"
    | keyof MessageLimits
  >;
  readonly stats: Stats;
  readonly backpressure: Backpressure;
  readonly upgrade: Upgrade;
  readonly lifecycle: Lifecycle;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** The compressor of uWS for --compression. */
  readonly compression: CompressOptions;
  /** POST /echo. */
  readonly httpEcho: HttpHandler;
}

/** Creates `/echo`, also on the paths of --echo-paths: it sends every message back unchanged. */
export function createEcho({
  config,
  stats,
  backpressure,
  upgrade,
  lifecycle,
  now,
  compression,
  httpEcho,
}: EchoParts): Endpoint[] {
  const compressFrom = config.compression === "off" ? Number.POSITIVE_INFINITY : config.compressionMinSize;

  // Per message: no allocation, closure, await, log or Map lookup. `message` is invalid once this returns.
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

  const behavior: WebSocketBehavior<SocketData> = {
    ...socketOptions(config, compression),
    upgrade(res, req, context) {
      if (config.endpoints !== "off" && asksForMore(req.getQuery())) {
        req.setYield(true); // on to the endpoints on demand
      } else {
        upgrade.upgrade(res, req, context);
      }
    },
    open: lifecycle.open,
    message: limitMessages(config, backpressure, now, config.goodbye ? echoUntilGoodbye : echo),
    ping: (ws, payload) => backpressure.ponged(ws, payload.byteLength),
    drain: (ws) => backpressure.drained(ws),
    close: lifecycle.close,
  };
  const explain: HttpHandler = (res, req) => upgrade.explain(res, req, "/echo");
  return (config.echoPaths === "any" ? ["/echo"] : config.echoPaths).map((path) => ({
    path,
    methods: ["GET", "HEAD", "POST"],
    summary: "WebSocket echo; POST streams its body back",
    mount(app: TemplatedApp) {
      app.ws(path, behavior);
      app.get(path, explain).head(path, explain).post(path, httpEcho);
    },
  }));
}

const goodbye = Buffer.from("Goodbye");
