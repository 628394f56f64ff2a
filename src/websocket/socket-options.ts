// Creates the uWS options shared by all WebSocket routes.
import type { CompressOptions } from "uWebSockets.js";
import type { Config } from "../config/options.ts";
import { type MessageLimits, payloadLimit } from "./message-limits.ts";

/** Limits of a connection, for `app.ws`. */
export function socketOptions(
  config: MessageLimits & Pick<Config, "maxBackpressure" | "idleTimeout">,
  compression: CompressOptions,
) {
  return {
    maxPayloadLength: payloadLimit(config),
    maxBackpressure: config.maxBackpressure,
    idleTimeout: config.idleTimeout / 1000,
    sendPingsAutomatically: true,
    maxLifetime: 0, // off: --max-lifetime has its own timers
    compression,
  };
}
