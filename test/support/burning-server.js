// An echo server on `ws` with a known CPU time per message, in steps of arithmetic. Arguments: port, steps.
import { WebSocketServer } from "ws";

const [port, steps] = process.argv.slice(2).map(Number);
let state = 1;

new WebSocketServer({ host: "127.0.0.1", port, perMessageDeflate: false }).on("connection", (socket) => {
  socket.on("message", (data, isBinary) => {
    for (let step = 0; step < steps; step += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
    }
    socket.send(data, { binary: isBinary });
  });
});
