// Limits what one connection may send, where uWS cannot. Without such a limit, a message costs nothing here.
import type { WebSocketBehavior } from "uWebSockets.js";
import type { Config } from "../config/options.ts";
import type { Backpressure } from "./backpressure.ts";
import type { Connection, EchoSocket } from "./connection.ts";

export type MessageLimits = Pick<Config, "maxPayload" | "compression" | "maxMessageRate" | "maxReceiveRate">;
type OnMessage = NonNullable<WebSocketBehavior<Connection>["message"]>;

/**
 * The limit that uWS keeps, in bytes. It also holds for a frame before inflation, and a message that does not compress
 * grows: zlib's bound for the smallest memory level is an eighth, a 64th, and some bytes.
 */
export function payloadLimit({ maxPayload, compression }: MessageLimits): number {
  return compression === "off" ? maxPayload : maxPayload + Math.ceil(maxPayload / 8 + maxPayload / 64) + 64;
}

/**
 * Puts the limits that are in force before a message handler.
 * @returns the handler itself when none is
 */
export function limitMessages(
  limits: MessageLimits,
  backpressure: Backpressure,
  now: () => number,
  handler: OnMessage,
): OnMessage {
  const isLimited = limits.maxMessageRate > 0 || limits.maxReceiveRate > 0;
  if (limits.compression === "off" && !isLimited) {
    return handler;
  }
  return (ws, message, isBinary) => {
    if (message.byteLength > limits.maxPayload) {
      ws.close(); // as uWS does without compression
      return;
    }
    if (isLimited && !isWithinRates(ws, message.byteLength, limits, backpressure, now())) {
      return;
    }
    handler(ws, message, isBinary);
  };
}

// Token buckets that hold one second's worth; that of bytes holds at least the largest message.
function isWithinRates(
  ws: EchoSocket,
  bytes: number,
  { maxMessageRate, maxReceiveRate, maxPayload }: MessageLimits,
  backpressure: Backpressure,
  at: number,
): boolean {
  if (backpressure.isLeaving(ws)) {
    return false;
  }
  const burstBytes = Math.max(maxReceiveRate, maxPayload);
  const connection = ws.getUserData();
  connection.allowance ??= { messages: maxMessageRate, bytes: burstBytes, at };
  const { allowance } = connection;
  const seconds = (at - allowance.at) / 1000;
  allowance.at = at;
  allowance.messages = Math.min(maxMessageRate, allowance.messages + seconds * maxMessageRate) - 1;
  allowance.bytes = Math.min(burstBytes, allowance.bytes + seconds * maxReceiveRate) - bytes;
  if (maxMessageRate > 0 && allowance.messages < 0) {
    backpressure.closeGracefully(ws, 1008, "message_rate");
    return false;
  }
  if (maxReceiveRate > 0 && allowance.bytes < 0) {
    backpressure.closeGracefully(ws, 1008, "receive_rate");
    return false;
  }
  return true;
}
