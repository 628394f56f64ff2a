// Checks the replies of one connection, in order, as their bytes arrive.

import { at, type MessageType, opcodeOf, type ReplyFault, sequenceDigits, type Verify } from "./payload.ts";

/** Missing replies that are remembered, to tell one that comes later from one that comes twice. */
const missingLimit = 1024;

/** The value of a lower-case hexadecimal digit; NaN for any other byte. */
function digitValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) {
    return byte - 0x30;
  }
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : Number.NaN;
}

export class ReplyChecker {
  readonly #payloads: readonly Uint8Array[];
  readonly #opcode: number;
  readonly #verify: Verify;
  /** Number of the message whose reply is due. */
  #sequence = 0;
  #offsetBytes = 0;
  /** The number that the reply being received carries, as far as it is read. */
  #found = 0;
  #hasWrongBytes = false;
  readonly #missing = new Set<number>();
  /** After a good reply: messages before it whose replies did not come. */
  skipped = 0;

  constructor(payloads: readonly Uint8Array[], type: MessageType, verify: Verify) {
    this.#payloads = payloads;
    this.#opcode = opcodeOf(type);
    this.#verify = verify;
  }

  /** The next bytes [start, end) of the reply. */
  piece(chunk: Uint8Array, start: number, end: number): void {
    if (this.#verify !== "full") {
      return;
    }
    const digits = Math.min(sequenceDigits, at(this.#payloads, this.#sequence).length);
    let position = start;
    while (position < end && this.#offsetBytes < digits) {
      this.#found += digitValue(chunk[position] ?? 0) * 16 ** this.#offsetBytes;
      position += 1;
      this.#offsetBytes += 1;
    }
    const rest = end - position;
    if (rest > 0) {
      const sent = Number.isNaN(this.#found) ? this.#sequence : this.#found;
      const want = at(this.#payloads, sent).subarray(this.#offsetBytes, this.#offsetBytes + rest);
      this.#hasWrongBytes ||= Buffer.compare(want, chunk.subarray(position, end)) !== 0;
      this.#offsetBytes += rest;
    }
  }

  /**
   * The reply is complete: what was wrong with it, or undefined.
   * @param sentCount messages sent on this connection so far
   */
  finish(opcode: number, payloadBytes: number, sentCount: number): ReplyFault | undefined {
    const found = this.#found;
    const hasWrongBytes = this.#hasWrongBytes;
    this.#offsetBytes = 0;
    this.#found = 0;
    this.#hasWrongBytes = false;
    this.skipped = 0;
    const isOther = this.#verify === "full" && found >= 0 && found !== this.#sequence;
    if (isOther && !hasWrongBytes && this.#isMessage(found, opcode, payloadBytes)) {
      if (found < this.#sequence) {
        return this.#missing.delete(found) ? "reordered-reply" : "duplicate-reply";
      }
      if (found < sentCount) {
        this.#skipTo(found);
        return undefined;
      }
    }
    if (this.#sequence === sentCount) {
      return "surplus-reply";
    }
    this.#sequence += 1;
    return this.#faultOf(this.#sequence - 1, opcode, payloadBytes, found, hasWrongBytes);
  }

  /** The reply is complete, but could not be decompressed: it counts as the one that is due. */
  finishUnreadable(sentCount: number): ReplyFault {
    if (this.#sequence === sentCount) {
      return "surplus-reply";
    }
    this.#sequence += 1;
    this.skipped = 0;
    return "invalid-deflate";
  }

  /** Whether a reply of this type and length can be the one to message `sequence`, and names it in full. */
  #isMessage(sequence: number, opcode: number, payloadBytes: number): boolean {
    return (
      payloadBytes >= sequenceDigits &&
      opcode === this.#opcode &&
      payloadBytes === at(this.#payloads, sequence).length
    );
  }

  #skipTo(found: number): void {
    this.skipped = found - this.#sequence;
    for (
      let sequence = this.#sequence;
      sequence < found && this.#missing.size < missingLimit;
      sequence += 1
    ) {
      this.#missing.add(sequence);
    }
    this.#sequence = found + 1;
  }

  #faultOf(
    sequence: number,
    opcode: number,
    payloadBytes: number,
    found: number,
    hasWrongBytes: boolean,
  ): ReplyFault | undefined {
    if (this.#verify === "none") {
      return undefined;
    }
    const expectedBytes = at(this.#payloads, sequence).length;
    if (payloadBytes !== expectedBytes) {
      return "wrong-length";
    }
    if (opcode !== this.#opcode) {
      return "wrong-type";
    }
    if (this.#verify === "full" && found !== sequence % 16 ** Math.min(sequenceDigits, expectedBytes)) {
      return "wrong-sequence";
    }
    return hasWrongBytes ? "wrong-bytes" : undefined;
  }
}
