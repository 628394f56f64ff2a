// Parses hexadecimal input, and formats hex dumps. Pure.

/** Bytes, or a sentence with the problem. */
export type HexResult = { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly problem: string };

/** Parses `48 65 6c`, `48656c`, `0x48,0x65` or `48:65`. Blanks, commas, colons and dashes separate; empty text is an empty message. */
export function parseHex(text: string): HexResult {
  const digits = text.replace(/0x/gi, " ").replace(/[\s,:-]+/g, " ");
  const foreign = /[^0-9a-f ]/i.exec(digits);
  if (foreign !== null) {
    return { problem: `"${foreign[0]}" is not a hexadecimal digit (0-9, a-f).` };
  }
  const bytes: number[] = [];
  for (const group of digits.split(" ")) {
    if (group.length % 2 === 1) {
      return {
        problem: `"${shorten(group)}" has an odd number of digits; a byte has two, for example 0${group.slice(-1)}.`,
      };
    }
    for (let at = 0; at < group.length; at += 2) {
      bytes.push(Number.parseInt(group.slice(at, at + 2), 16));
    }
  }
  return { bytes: Uint8Array.from(bytes) };
}

/** `48 65 6c 6c 6f`: the first `limit` bytes, two digits each. */
export function toHex(bytes: Uint8Array, limit = bytes.length): string {
  return Array.from(bytes.subarray(0, limit), hexByte).join(" ");
}

/** Formats lines of sixteen bytes with offset and printable ASCII like `hexdump -C`, for at most `limit` bytes. */
export function hexDump(bytes: Uint8Array, limit = bytes.length): string {
  const lines: string[] = [];
  const end = Math.min(limit, bytes.length);
  for (let offset = 0; offset < end; offset += 16) {
    const row = bytes.subarray(offset, Math.min(offset + 16, end));
    const left = toHex(row.subarray(0, 8)).padEnd(23);
    const right = toHex(row.subarray(8)).padEnd(23);
    lines.push(
      `${offset.toString(16).padStart(8, "0")}  ${left}  ${right}  ${Array.from(row, printable).join("")}`,
    );
  }
  return lines.join("\n");
}

/** RFC 4648 base64. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function printable(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
}

function shorten(text: string): string {
  return text.length > 12 ? `${text.slice(0, 12)}...` : text;
}
