// The smallest echo server on the ws package. PORT is its only argument.

import { WebSocketServer } from "ws";

new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), perMessageDeflate: false }).on(
  "connection",
  (socket) => {
    socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
    socket.on("error", () => socket.terminate());
  },
);
