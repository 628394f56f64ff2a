// An echo server on `ws` that behaves as a rolling restart does at SIGTERM, but for one fault: it leaves the next
// messages without an echo. Then it says 1001 to every client that has its echoes, and goes on listening, as the next
// replica would. Argument: how many messages to leave.
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
  const timer = setInterval(() => {
    if (toDrop === 0) {
      clearInterval(timer);
      for (const socket of told) {
        socket.close(1001);
      }
    }
  }, 10);
});
