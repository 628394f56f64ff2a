// Builds masked client frames, and reads server frames from chunks of any size (RFC 6455, section 5.2).

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** RSV1, which marks a compressed message in its first frame (RFC 7692, section 6). */
export const compressedBit = 0x40;

const finBit = 0x80;
const reservedBits = 0x70;
const opcodeBits = 0x0f;
const maskBit = 0x80;
const controlPayloadLimitBytes = 125;

/** Protocol violations of a server; the names are error kinds of a Result. */
export type ProtocolFault =
  | "masked-frame"
  | "reserved-bits"
  | "unknown-opcode"
  | "non-minimal-length"
  | "oversized-message"
  | "control-frame-too-long"
  | "fragmented-control-frame"
  | "unexpected-continuation"
  | "interleaved-message";

/** The callbacks of a FrameReader. Chunks are valid only during the call: they are reused for the next read. */
export interface FrameSink {
  /** The next bytes [start, end) of the data message being received. */
  onPayload(chunk: Uint8Array, start: number, end: number): void;
  /** A whole data message, in any number of frames. If it is compressed, its opcode has the `compressedBit`. */
  onMessage(opcode: number, payloadBytes: number): void;
  onControl(opcode: number, payload: Uint8Array): void;
  /** The stream is invalid; the reader ignores the rest. */
  onProtocolFault(fault: ProtocolFault): void;
}

/** Length of the header in front of a masked (client) payload, in bytes. */
export function maskedHeaderBytes(payloadBytes: number): number {
  return payloadBytes < 126 ? 6 : payloadBytes < 65_536 ? 8 : 14;
}

/**
 * Builds one final, masked frame.
 * @param opcode one of opcodes, with the `compressedBit` if the payload is compressed
 * @param maskKey four bytes
 */
export function encodeMaskedFrame(opcode: number, payload: Uint8Array, maskKey: Uint8Array): Buffer {
  const headerBytes = maskedHeaderBytes(payload.length);
  const frame = Buffer.alloc(headerBytes + payload.length);
  frame[0] = finBit | opcode;
  if (headerBytes === 6) {
    frame[1] = maskBit | payload.length;
  } else if (headerBytes === 8) {
    frame[1] = maskBit | 126;
    frame.writeUInt16BE(payload.length, 2);
  } else {
    frame[1] = maskBit | 127;
    frame.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  frame.set(maskKey.subarray(0, 4), headerBytes - 4);
  for (let i = 0; i < payload.length; i += 1) {
    frame[headerBytes + i] = (payload[i] ?? 0) ^ (maskKey[i & 3] ?? 0);
  }
  return frame;
}

/**
 * Parses a server's frames, split at any byte, and passes messages to its sink.
 * Frames of one message, control frames between them, and the three length forms are all taken;
 * anything RFC 6455 forbids a server to send is a ProtocolFault.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #maxMessageBytes: number;
  readonly #header = new Uint8Array(10);
  #headerBytes = 0;
  #frameOpcode = 0;
  #frameIsFinal = false;
  #inPayload = false;
  #payloadLeftBytes = 0;
  /** Whether messages may be compressed. */
  #takesCompressed = false;
  /** Opcode of the data message that is being received, with its compressedBit; 0 between messages. */
  #messageOpcode = 0;
  #messageBytes = 0;
  #control: Uint8Array | undefined;
  #stopped = false;

  /** @param maxMessageBytes a longer message is a fault once its header is read */
  constructor(sink: FrameSink, maxMessageBytes: number) {
    this.#sink = sink;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** From now on, a data message may be compressed. */
  allowCompressed(): void {
    this.#takesCompressed = true;
  }

  /** Ignores all further input. */
  stop(): void {
    this.#stopped = true;
  }

  /** Parses the bytes [start, end) of `chunk`. */
  push(chunk: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && !this.#stopped) {
      at = this.#inPayload ? this.#readPayload(chunk, at, end) : this.#readHeader(chunk, at, end);
    }
  }

  #readHeader(chunk: Uint8Array, start: number, end: number): number {
    if (this.#headerBytes === 0 && end - start >= 2) {
      const lengthByte = chunk[start + 1] ?? 0;
      if ((lengthByte & 0x7f) < 126) {
        this.#beginFrame(chunk[start] ?? 0, lengthByte, lengthByte & 0x7f);
        return start + 2;
      }
    }
    let at = start;
    while (at < end) {
      this.#header[this.#headerBytes] = chunk[at] ?? 0;
      this.#headerBytes += 1;
      at += 1;
      const lengthForm = (this.#header[1] ?? 0) & 0x7f;
      const wantedBytes = this.#headerBytes < 2 || lengthForm < 126 ? 2 : lengthForm === 126 ? 4 : 10;
      if (this.#headerBytes === wantedBytes) {
        this.#finishLongHeader(lengthForm);
        return at;
      }
    }
    return at;
  }

  #finishLongHeader(lengthForm: number): void {
    const view = new DataView(this.#header.buffer);
    let length = lengthForm;
    let shortestAllowed = 0;
    if (lengthForm === 126) {
      length = view.getUint16(2);
      shortestAllowed = 126;
    } else if (lengthForm === 127) {
      length = view.getUint32(2) * 2 ** 32 + view.getUint32(6);
      shortestAllowed = 65_536;
    }
    this.#headerBytes = 0;
    if (length < shortestAllowed) {
      this.#fail("non-minimal-length");
    } else {
      this.#beginFrame(this.#header[0] ?? 0, this.#header[1] ?? 0, length);
    }
  }

  #beginFrame(firstByte: number, lengthByte: number, payloadBytes: number): void {
    const opcode = firstByte & opcodeBits;
    const isFinal = (firstByte & finBit) !== 0;
    const fault = this.#faultOf(firstByte, lengthByte, payloadBytes);
    if (fault !== undefined) {
      this.#fail(fault);
      return;
    }
    if (opcode >= opcodes.close) {
      this.#control = new Uint8Array(payloadBytes);
    } else if (opcode === opcodes.continuation) {
      this.#messageBytes += payloadBytes;
    } else {
      this.#messageOpcode = firstByte & (opcodeBits | compressedBit);
      this.#messageBytes = payloadBytes;
    }
    this.#frameOpcode = opcode;
    this.#frameIsFinal = isFinal;
    this.#payloadLeftBytes = payloadBytes;
    this.#inPayload = true;
    if (payloadBytes === 0) {
      this.#endFrame();
    }
  }

  #faultOf(firstByte: number, lengthByte: number, payloadBytes: number): ProtocolFault | undefined {
    const opcode = firstByte & opcodeBits;
    if ((firstByte & reservedBits) !== 0 && !this.#isCompressed(firstByte)) {
      return "reserved-bits";
    }
    if ((lengthByte & maskBit) !== 0) {
      return "masked-frame";
    }
    if (opcode > opcodes.pong || (opcode > opcodes.binary && opcode < opcodes.close)) {
      return "unknown-opcode";
    }
    if (opcode >= opcodes.close) {
      if ((firstByte & finBit) === 0) {
        return "fragmented-control-frame";
      }
      return payloadBytes > controlPayloadLimitBytes ? "control-frame-too-long" : undefined;
    }
    const isContinuation = opcode === opcodes.continuation;
    if (isContinuation !== (this.#messageOpcode !== 0)) {
      return isContinuation ? "unexpected-continuation" : "interleaved-message";
    }
    const messageBytes = (isContinuation ? this.#messageBytes : 0) + payloadBytes;
    return messageBytes > this.#maxMessageBytes ? "oversized-message" : undefined;
  }

  /** RSV1 alone, in the first frame of a data message. */
  #isCompressed(firstByte: number): boolean {
    const opcode = firstByte & opcodeBits;
    return (
      this.#takesCompressed &&
      (firstByte & reservedBits) === compressedBit &&
      (opcode === opcodes.text || opcode === opcodes.binary)
    );
  }

  #readPayload(chunk: Uint8Array, start: number, end: number): number {
    const stop = Math.min(end, start + this.#payloadLeftBytes);
    if (this.#control === undefined) {
      this.#sink.onPayload(chunk, start, stop);
    } else {
      this.#control.set(chunk.subarray(start, stop), this.#control.length - this.#payloadLeftBytes);
    }
    this.#payloadLeftBytes -= stop - start;
    if (this.#payloadLeftBytes === 0) {
      this.#endFrame();
    }
    return stop;
  }

  #endFrame(): void {
    this.#inPayload = false;
    if (this.#control !== undefined) {
      const payload = this.#control;
      this.#control = undefined;
      this.#sink.onControl(this.#frameOpcode, payload);
    } else if (this.#frameIsFinal) {
      const opcode = this.#messageOpcode;
      this.#messageOpcode = 0;
      this.#sink.onMessage(opcode, this.#messageBytes);
    }
  }

  #fail(fault: ProtocolFault): void {
    this.#stopped = true;
    this.#sink.onProtocolFault(fault);
  }
}
