// A WebSocket echo server that spends the given CPU time on each handshake, and refuses every n-th one with 503 and a
// Retry-After of 1 s. Arguments: port (0 for any), milliseconds of CPU time, n (0 to refuse none). Prints its port.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const [port, burnMs, refuseEvery] = process.argv.slice(2).map(Number);
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
let handshakes = 0;

/** The CPU time of a process includes its other threads, so the handshake has to last that long as well. */
function burn() {
  const start = process.cpuUsage();
  const startMs = performance.now();
  for (;;) {
    for (let i = 0; i < 20; i += 1) {
      createHash("sha256").update("handshake").digest();
    }
    const { user, system } = process.cpuUsage(start);
    if (user + system >= burnMs * 1000 && performance.now() - startMs >= burnMs) {
      return;
    }
  }
}

const server = createServer((_request, response) => response.writeHead(404).end());
server.on("upgrade", (request, socket, head) => {
  handshakes += 1;
  burn();
  if (refuseEvery > 0 && handshakes % refuseEvery === 0) {
    socket.end("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 5\r\n\r\nfull\n");
    return;
  }
  sockets.handleUpgrade(request, socket, head, (client) => {
    client.on("message", (data, isBinary) => client.send(data, { binary: isBinary }));
  });
});
server.listen(port, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
