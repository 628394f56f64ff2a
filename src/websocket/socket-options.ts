// The uWS options that every WebSocket route shares.
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
    maxLifetime: 0, // counted in minutes and without jitter: --max-lifetime has timers of its own
    compression,
  };
}
