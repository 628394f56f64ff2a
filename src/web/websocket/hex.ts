// Parses typed hexadecimal, and formats the classic dump. Pure.

/** Octets, or a sentence that says what cannot be read. */
export type HexResult = { readonly octets: Uint8Array<ArrayBuffer> } | { readonly problem: string };

/** Reads `48 65 6c`, `48656c`, `0x48,0x65` or `48:65`. Blanks, commas, colons and dashes separate; nothing is an empty message. */
export function parseHex(text: string): HexResult {
  const digits = text.replace(/0x/gi, " ").replace(/[\s,:-]+/g, " ");
  const foreign = /[^0-9a-f ]/i.exec(digits);
  if (foreign !== null) {
    return { problem: `"${foreign[0]}" is not a hexadecimal digit (0-9, a-f).` };
  }
  const octets: number[] = [];
  for (const group of digits.split(" ")) {
    if (group.length % 2 === 1) {
      return {
        problem: `"${shorten(group)}" has an odd number of digits; a byte has two, for example 0${group.slice(-1)}.`,
      };
    }
    for (let at = 0; at < group.length; at += 2) {
      octets.push(Number.parseInt(group.slice(at, at + 2), 16));
    }
  }
  return { octets: Uint8Array.from(octets) };
}

/** `48 65 6c 6c 6f`: the first `limit` bytes, two digits each. */
export function toHex(octets: Uint8Array, limit = octets.length): string {
  return Array.from(octets.subarray(0, limit), hexOctet).join(" ");
}

/** Lines of sixteen bytes with offset and printable ASCII, as hexdump -C draws them; at most `limit` bytes. */
export function hexDump(octets: Uint8Array, limit = octets.length): string {
  const lines: string[] = [];
  const end = Math.min(limit, octets.length);
  for (let offset = 0; offset < end; offset += 16) {
    const row = octets.subarray(offset, Math.min(offset + 16, end));
    const left = toHex(row.subarray(0, 8)).padEnd(23);
    const right = toHex(row.subarray(8)).padEnd(23);
    lines.push(
      `${offset.toString(16).padStart(8, "0")}  ${left}  ${right}  ${Array.from(row, printable).join("")}`,
    );
  }
  return lines.join("\n");
}

/** RFC 4648 base64. */
export function toBase64(octets: Uint8Array): string {
  return btoa(Array.from(octets, (octet) => String.fromCharCode(octet)).join(""));
}

function hexOctet(octet: number): string {
  return octet.toString(16).padStart(2, "0");
}

function printable(octet: number): string {
  return octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : ".";
}

function shorten(text: string): string {
  return text.length > 12 ? `${text.slice(0, 12)}...` : text;
}
