// Differences between the native binaries of uWebSockets.js, as docs/uwebsockets.md lists them.
import { readFileSync } from "node:fs";

/** Whether this is the binary for Node 22 or later. */
export const isNewerBinary = Number(process.versions.modules) > 115;

/** The longest read with a bound, in bytes: uWS's own buffer. */
const readBytes = 512 * 1024;

/** Why a test of the bytes that one read delivers is skipped; false if it is not. */
export function unboundedReads(): string | false {
  const most = Number(readFileSync("/proc/sys/net/ipv4/tcp_rmem", "utf8").trim().split(/\s+/)[2]);
  return isNewerBinary && most > readBytes
    ? `this binary reads without end: set the maximum of net.ipv4.tcp_rmem, ${most} now, to ${readBytes}`
    : false;
}
