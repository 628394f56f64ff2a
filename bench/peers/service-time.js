// An echo server with an exact service time, one message after the other, so its capacity is known. Arguments:
// PORT, SERVICE_US, and for stalls STALL_MS and EVERY_MS, which is the mean of random times between two stalls.

import uws from "uWebSockets.js";

const [port, serviceUs, stallMs = 0, everyMs = 0] = process.argv.slice(2).map(Number);
const serviceMs = serviceUs / 1000;
/** What the server itself takes between two messages is part of the service: so short a gap is no rest. */
const gapMs = 0.2;
let freeMs = 0;

function burnUntil(endMs) {
  while (performance.now() < endMs) {
    // Burns the CPU, as work does.
  }
}

uws
  .App()
  .ws("/*", {
    maxPayloadLength: 1024 * 1024,
    maxBackpressure: 64 * 1024 * 1024,
    message: (ws, message, isBinary) => {
      const nowMs = performance.now();
      freeMs = (nowMs - freeMs < gapMs ? freeMs : nowMs) + serviceMs;
      burnUntil(freeMs);
      ws.send(message, isBinary);
    },
  })
  .listen("127.0.0.1", port, (token) => {
    if (!token) {
      process.exit(1);
    }
  });

function stallLater() {
  setTimeout(
    () => {
      burnUntil(performance.now() + stallMs);
      stallLater();
    },
    -Math.log(1 - Math.random()) * everyMs,
  );
}
if (stallMs > 0) {
  stallLater();
}
