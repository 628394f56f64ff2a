// The pieces in which streamed answers are handed to uWS: each fits into its cork buffer, whole.
import { SegmentPool } from "../lib/byte-queue.ts";

/** Body bytes of one write. With its chunk header and the end of the body, it must fit into the cork buffer of 16 KiB. */
export const pieceBytes = 16 * 1024 - 64;
/** Body bytes that are written together with the head. */
export const firstPieceBytes = 8 * 1024;
/** Segments of one piece, lent to every queue of this process. */
export const piecePool = new SegmentPool(pieceBytes);
