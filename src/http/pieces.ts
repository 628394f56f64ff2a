// Sizes of the pieces of streamed responses: each fits into uWS's cork buffer.
import { SegmentPool } from "../lib/byte-queue.ts";

/** Body bytes of one write. With the chunk header and the end of the body, they must fit into the cork buffer of 16 KiB. */
export const pieceBytes = 16 * 1024 - 64;
/** Body bytes written together with the head. */
export const firstPieceBytes = 8 * 1024;
/** Segments of one piece, shared by all queues of this process. */
export const piecePool = new SegmentPool(pieceBytes);
