// The smallest echo server on uWebSockets.js: the baseline for ours. PORT is its only argument.
// Plain JavaScript, so that the measured process runs nothing but this file.

import uws from "uWebSockets.js";

uws
  .App()
  .ws("/*", {
    maxPayloadLength: 16 * 1024 * 1024,
    maxBackpressure: 64 * 1024 * 1024,
    message: (ws, message, isBinary) => {
      ws.send(message, isBinary);
    },
  })
  .listen("127.0.0.1", Number(process.argv[2]), (token) => {
    if (!token) {
      process.exit(1);
    }
  });
