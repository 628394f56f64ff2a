// Defines the interface of the client that sends messages and matches their echoes.

import type { Connection } from "../engine/connection.ts";
import type { LoopClient, LoopLane } from "./open-loop.ts";

export interface EchoClient<L extends LoopLane> extends LoopClient<L> {
  /** Some messages have timed out; their replies may still arrive. */
  readonly hasGivenUp: boolean;
  add(connection: Connection): void;
  retire(index: number): void;
  /** @param wasClosed by a close frame of the target */
  remove(index: number, wasClosed: boolean): void;
  start(): void;
  stop(): void;
  abandon(): void;
  sweep(nowNs: number): void;
  /** By their number, in the order of the messages; or by their content. */
  onReplies(connection: Connection, count: number): void;
  onBadReply(connection: Connection): void;
  onMissing(connection: Connection, count: number): void;
  onMessage(connection: Connection, content: Uint8Array): void;
  /** Left out by those that send no pings. */
  onPong?(connection: Connection, payload: Uint8Array): void;
}
