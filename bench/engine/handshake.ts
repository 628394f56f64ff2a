// Writes the opening handshake of a client, and checks the response (RFC 6455, section 4.1).

import { createHash, randomBytes } from "node:crypto";
import type { Ending, Endpoint } from "./connection.ts";
import { type Compression, deflateOffer, readDeflateAnswer } from "./deflate.ts";
import { endingOfRefusal } from "./failure.ts";

/** RFC 6455 section 1.3. */
const acceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const headLimitBytes = 16 * 1024;
const bodyLimitBytes = 300;

export interface HandshakeRequest {
  readonly key: string;
  readonly bytes: Buffer;
}

/** A header of the endpoint replaces ours of the same name, such as the offer of an extension. */
export function createRequest(
  endpoint: Pick<Endpoint, "url" | "headers" | "subprotocols" | "origin"> &
    Partial<Pick<Endpoint, "deflate">>,
): HandshakeRequest {
  const url = new URL(endpoint.url);
  const key = randomBytes(16).toString("base64");
  const fixed = [
    ["Host", url.host],
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Key", key],
    ["Sec-WebSocket-Version", "13"],
    ...(endpoint.deflate === true ? [["Sec-WebSocket-Extensions", deflateOffer] as const] : []),
  ] as const;
  const own = new Set(endpoint.headers.map(([name]) => name.toLowerCase()));
  const lines = [
    ...fixed.filter(([name]) => !own.has(name.toLowerCase())),
    ...(endpoint.subprotocols.length > 0
      ? [["Sec-WebSocket-Protocol", endpoint.subprotocols.join(", ")] as const]
      : []),
    ...(endpoint.origin === undefined ? [] : [["Origin", endpoint.origin] as const]),
    ...endpoint.headers,
  ].map(([name, value]) => `${name}: ${value}\r\n`);
  return {
    key,
    bytes: Buffer.from(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1"),
  };
}

export function acceptFor(key: string): string {
  return createHash("sha1").update(`${key}${acceptGuid}`).digest("base64");
}

/** Collects the response, and waits for the first line of the body when it is a refusal. */
export class HandshakeResponse {
  readonly #key: string;
  readonly #subprotocols: readonly string[];
  readonly #offersDeflate: boolean;
  #received = Buffer.alloc(0);
  #head: Head | undefined;

  constructor(key: string, subprotocols: readonly string[], offersDeflate = false) {
    this.#key = key;
    this.#subprotocols = subprotocols;
    this.#offersDeflate = offersDeflate;
  }

  /** Status and headers once complete, even if they are not valid. */
  get head(): Head | undefined {
    return this.#head;
  }

  /** Parses more bytes. Returns undefined until complete, then what was agreed, or the failure. */
  push(chunk: Uint8Array): Agreement | Ending | undefined {
    this.#received = Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) {
      return this.#received.length > headLimitBytes
        ? invalid(`the response head is longer than ${headLimitBytes} bytes`)
        : undefined;
    }
    const head = parseHead(this.#received.toString("latin1", 0, headEnd));
    this.#head = head;
    if (head === undefined) {
      return invalid(`the response is not HTTP: ${quote(this.#received.toString("latin1", 0, headEnd))}`);
    }
    const body = this.#received.subarray(headEnd + 4);
    if (head.status !== 101) {
      const isWhole = body.length >= Number(head.headers.get("content-length") ?? Number.POSITIVE_INFINITY);
      return isWhole || firstLineOf(head, body) !== undefined ? refused(head, body) : undefined;
    }
    const problem = problemWith(head.headers, this.#key, this.#subprotocols);
    if (problem !== undefined) {
      return invalid(problem);
    }
    const compression = this.#compressionOf(head.headers.get("sec-websocket-extensions"));
    return typeof compression === "string" ? invalid(compression) : { rest: body, compression };
  }

  #compressionOf(extensions: string | undefined): Compression | string | undefined {
    if (extensions === undefined) {
      return undefined;
    }
    return this.#offersDeflate
      ? readDeflateAnswer(extensions)
      : `the target chose the extension ${quote(extensions)}, which was not offered`;
  }

  /** The target closed the connection, or ended its response. */
  end(): Ending {
    const headEnd = this.#received.indexOf("\r\n\r\n");
    const head = headEnd < 0 ? undefined : parseHead(this.#received.toString("latin1", 0, headEnd));
    if (head !== undefined) {
      return refused(head, this.#received.subarray(headEnd + 4));
    }
    return this.#received.length === 0
      ? invalid("the target closed the connection without an answer")
      : invalid(`the target closed the connection after ${quote(this.#received.toString("latin1"))}`);
  }
}

/** What a valid response says. */
export interface Agreement {
  /** The bytes after its head. */
  readonly rest: Buffer;
  /** Undefined when it was not offered, or declined. */
  readonly compression: Compression | undefined;
}

/** The head of an HTTP response; header names are in lower case, and repeated headers joined by commas. */
export interface Head {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

function parseHead(text: string): Head | undefined {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const [, status] = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine) ?? [];
  if (status === undefined) {
    return undefined;
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return { status: Number(status), headers };
}

/** The checks that RFC 6455 section 4.1 asks of a client; undefined when all hold. */
function problemWith(
  headers: ReadonlyMap<string, string>,
  key: string,
  subprotocols: readonly string[],
): string | undefined {
  const tokens = (name: string): string[] =>
    (headers.get(name) ?? "").split(",").map((token) => token.trim().toLowerCase());
  if (!tokens("upgrade").includes("websocket")) {
    return `the response has no "Upgrade: websocket"`;
  }
  if (!tokens("connection").includes("upgrade")) {
    return `the response has no "Connection: Upgrade"`;
  }
  const accept = headers.get("sec-websocket-accept") ?? "";
  if (accept !== acceptFor(key)) {
    return `Sec-WebSocket-Accept is ${quote(accept)}, which does not match the key sent`;
  }
  const chosen = headers.get("sec-websocket-protocol");
  if (chosen !== undefined && !subprotocols.includes(chosen)) {
    return `the target chose the sub-protocol ${quote(chosen)}, which was not offered`;
  }
  if (chosen === undefined && subprotocols.length > 0) {
    return `the target chose none of the sub-protocols ${subprotocols.join(", ")}`;
  }
  return undefined;
}

/** The body's first line once it is complete; of a chunked body, the one after the chunk's size. */
function firstLineOf(head: Head, body: Buffer): string | undefined {
  const lines = body.toString("utf8", 0, bodyLimitBytes).split("\n");
  const at = head.headers.get("transfer-encoding") === "chunked" ? 1 : 0;
  return lines.length > at + 1 || body.length >= bodyLimitBytes ? lines[at]?.trim() : undefined;
}

function refused(head: Head, body: Buffer): Ending {
  return endingOfRefusal(
    head.status,
    firstLineOf(head, Buffer.concat([body, Buffer.from("\n")])) ?? "",
    head.headers.get("retry-after"),
  );
}

function invalid(detail: string): Ending {
  return { kind: "handshake-invalid", detail };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
