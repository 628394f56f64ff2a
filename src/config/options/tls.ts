// Options for TLS and HTTP/2.

import * as z from "zod";
import { choice, count, duration, file, option, toggle } from "../option.ts";

const seconds = (milliseconds: number): number => milliseconds / 1000;

export const tls = {
  tlsCert: file({
    group: "TLS",
    help: "certificate chain in PEM; serves wss:// and https://, needs --tls-key",
  }),
  tlsKey: file({ group: "TLS", help: "private key in PEM" }),
  tlsPassphraseFile: file({
    group: "TLS",
    help: "file with the passphrase of the key; one line ending at its end is ignored",
  }),
  tlsCa: file({
    group: "TLS",
    help: "certificate authorities in PEM that sign client certificates",
  }),
  tlsClientAuth: choice({
    group: "TLS",
    help: "client certificates: not requested (none), requested but optional (request), or required (require)",
    choices: ["none", "request", "require"],
    default: "none",
    defaultNote: "none, or request with --tls-ca",
  }),
  tlsMinVersion: choice({
    group: "TLS",
    help: "oldest TLS version that is accepted",
    choices: ["1.2", "1.3"],
    default: "1.2",
  }),
  tlsCiphers: option({
    group: "TLS",
    type: "string",
    placeholder: "<list|modern>",
    help: "cipher suites in OpenSSL's notation; modern is those of TLS 1.3 and, for 1.2, the AEADs with forward secrecy",
    expected: "modern, or a cipher list in OpenSSL's notation",
    schema: z.string().min(1),
    default: "modern",
    format: String,
  }),
  tlsHandshakeTimeout: duration({
    group: "TLS",
    help: "time for a TLS handshake, and then as long again for the first byte of a request",
    min: 100,
    max: 600_000,
    default: 10_000,
    limit: {
      name: "tls_handshake_timeout_seconds",
      help: "Time for the TLS handshake, and again for the first byte after it",
      value: seconds,
      outcome: "the connection is dropped",
      countedBy: ['echo_tls_failures_total{reason="timeout"}'],
    },
  }),
  tlsMaxHandshakes: count({
    group: "TLS",
    help: "concurrent unfinished TLS handshakes; further connections are reset",
    min: 1,
    max: 1_000_000,
    default: 1000,
    limit: {
      name: "tls_unfinished_handshakes",
      help: "Concurrent unfinished TLS handshakes",
      value: Number,
      outcome: "further connections are reset",
      countedBy: ['echo_tls_failures_total{reason="handshakes"}'],
    },
  }),
  http2: toggle({
    group: "TLS",
    help: "offers HTTP/2 by ALPN, with WebSockets over it (RFC 8441)",
    default: false,
  }),
  http2MaxStreams: count({
    group: "TLS",
    help: "open streams of one HTTP/2 connection, WebSockets included; more are refused",
    min: 1,
    max: 10_000,
    default: 100,
    limit: {
      name: "http2_streams",
      help: "Streams that one HTTP/2 connection may have open",
      value: Number,
      outcome: "further streams are refused",
      countedBy: ["echo_http2_streams"],
    },
  }),
  tlsEngine: choice({
    group: "TLS",
    help: "TLS by node (Node.js), or by uws (uWebSockets.js), which is faster but disconnects clients with much in flight",
    choices: ["node", "uws"],
    default: "node",
  }),
};
