// Sends a message, or a fragment of one.
import type { EchoSocket } from "../connection.ts";
import type { Position } from "./line.ts";

/** Methods of uWS that its typings omit. They return the same as send(). */
interface SendsFragments {
  sendFirstFragment(message: Uint8Array, isBinary: boolean, compress: boolean): number;
  sendFragment(message: Uint8Array, compress: boolean): number;
  sendLastFragment(message: Uint8Array, compress: boolean): number;
}

/** Returns what `send()` does: 0 buffered, 1 sent, 2 dropped. */
export function sendAt(
  ws: EchoSocket,
  piece: Buffer,
  isBinary: boolean,
  position: Position,
  isCompressed: boolean,
): number {
  const fragments = ws as unknown as SendsFragments;
  switch (position) {
    case "whole":
      return ws.send(piece, isBinary, isCompressed);
    case "first":
      return fragments.sendFirstFragment(piece, isBinary, false);
    case "middle":
      return fragments.sendFragment(piece, false);
    case "last":
      return fragments.sendLastFragment(piece, false);
  }
}
