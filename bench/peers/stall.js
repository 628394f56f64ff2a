// An echo server that does nothing at all for half a second, every five seconds: the example of docs/measuring.md.
// PORT is its only argument.

import { WebSocketServer } from "ws";

new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), perMessageDeflate: false }).on(
  "connection",
  (socket) => {
    socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
    socket.on("error", () => socket.terminate());
  },
);

setInterval(() => {
  const endMs = performance.now() + 500;
  while (performance.now() < endMs) {
    // Burns the CPU, as a stalled event loop does.
  }
}, 5000);
