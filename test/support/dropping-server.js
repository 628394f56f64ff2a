// An echo server on `ws` that behaves at SIGTERM like a rolling restart with one fault: it does not echo the next
// messages. 300 ms later it closes every client with 1001, and keeps listening, like the next replica.
// Argument: the number of messages without an echo.
import { WebSocketServer } from "ws";

let isDraining = false;
let toDrop = Number(process.argv[2]);

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("listening", () => process.stdout.write(`${server.address().port}\n`));
server.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => {
    if (isDraining && toDrop > 0) {
      toDrop -= 1;
      return;
    }
    socket.send(data, { binary: isBinary });
  });
});

process.once("SIGTERM", () => {
  isDraining = true;
  const told = [...server.clients];
  setTimeout(() => {
    for (const socket of told) {
      socket.close(1001);
    }
  }, 300);
});
