// Limits what one connection may send, where uWS cannot. Costs nothing per message while no limit is set.
import type { WebSocketBehavior } from "uWebSockets.js";
import type { Config } from "../config/options.ts";
import type { Backpressure } from "./backpressure.ts";
import { connectionOf, type EchoSocket, type SocketData } from "./connection.ts";

export type MessageLimits = Pick<Config, "maxPayload" | "compression" | "maxMessageRate" | "maxReceiveRate">;
type OnMessage = NonNullable<WebSocketBehavior<SocketData>["message"]>;

/**
 * The limit for uWS, in bytes. uWS also applies it to a frame before inflation, and an incompressible message grows: by
 * zlib's bound for the smallest memory level, an eighth, a 64th, and some bytes.
 */
export function payloadLimit({ maxPayload, compression }: MessageLimits): number {
  return compression === "off" ? maxPayload : maxPayload + Math.ceil(maxPayload / 8 + maxPayload / 64) + 64;
}

/**
 * Wraps a message handler with the active limits.
 * @returns the handler itself if there are none
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
      ws.close(); // like uWS without compression
      return;
    }
    if (isLimited && !isWithinRates(ws, message.byteLength, limits, backpressure, now())) {
      return;
    }
    handler(ws, message, isBinary);
  };
}

// Token buckets of one second; the bucket of bytes holds at least the largest message.
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
  const connection = connectionOf(ws);
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
