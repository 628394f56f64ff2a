// Answers the first request of a TLS client that has more headers than uWS reads: uWS would drop it without a response.
import type { TLSSocket } from "node:tls";

/** uWS reads at most this many headers. */
const maxHeaders = 98;

const body = `A request may have ${maxHeaders} headers.\n`;
const response =
  `HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\n` +
  `Content-Length: ${body.length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${body}`;

/**
 * Answers with 431 if the first bytes of a connection are a whole head with too many headers.
 * @returns whether it answered
 */
export function refuseManyHeaders(client: TLSSocket, first: Buffer): boolean {
  if (!hasManyHeaders(first)) {
    return false;
  }
  client.end(response);
  return true;
}

/** Whether the bytes begin with a whole head that has more headers than uWS reads. */
export function hasManyHeaders(bytes: Buffer): boolean {
  // The shortest header is four bytes, "a:" and a line break, so the head of a usual client needs no count.
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 4 * maxHeaders) {
    return false;
  }
  let headers = 0;
  for (let at = bytes.indexOf("\r\n"); at >= 0 && at < end; at = bytes.indexOf("\r\n", at + 2)) {
    headers++;
  }
  return headers > maxHeaders;
}
