// Stamps a message with its sender, number, due and send time, and reads the stamp when it arrives.
// In ASCII, so that it fits into text messages, and a target may embed it in another message.

/** Characters of a stamp: a mark, the session's tag, the sender, the number of the message, and two times. */
export const stampBytes = 2 + 8 + 6 + 10 + 14 + 14;

const mark = "~e";
/** Upper bounds of senders and numbers. */
const highest = { sender: 16 ** 6, sequence: 16 ** 10 };

export interface Stamp {
  /** The number of the connection that sent it. */
  readonly sender: number;
  /** Counted per sender, from 0. */
  readonly sequence: number;
  /** On the clock that all threads of a machine share. */
  readonly intendedNs: number;
  readonly sentNs: number;
}

/** @param tag tells the messages of one session from those of others: a number below 2^32 */
export function writeStamp(message: Buffer, tag: number, stamp: Stamp): void {
  const { sender, sequence, intendedNs, sentNs } = stamp;
  const text =
    markOf(tag) +
    hex(sender % highest.sender, 6) +
    hex(sequence % highest.sequence, 10) +
    hex(Math.round(intendedNs), 14) +
    hex(Math.round(sentNs), 14);
  message.write(text, 0, "latin1");
}

/** The stamp in a message; undefined when it has none of this session. */
export function readStamp(message: Uint8Array, tag: number): Stamp | undefined {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const start = bytes.indexOf(markOf(tag), 0, "latin1");
  if (start < 0 || start + stampBytes > bytes.length) {
    return undefined;
  }
  const text = bytes.toString("latin1", start + mark.length + 8, start + stampBytes);
  return /^[0-9a-f]+$/.test(text)
    ? {
        sender: Number.parseInt(text.slice(0, 6), 16),
        sequence: Number.parseInt(text.slice(6, 16), 16),
        intendedNs: Number.parseInt(text.slice(16, 30), 16),
        sentNs: Number.parseInt(text.slice(30), 16),
      }
    : undefined;
}

function markOf(tag: number): string {
  return mark + hex(tag, 8);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
