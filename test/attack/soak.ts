// `npm run test:soak -- <duration>`: clients come, echo, stall and go for that long (default 10m), and what the server
// holds at rest must stay level.
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { parseDuration } from "../../src/lib/units.ts";
import { scrape } from "../support/echo-server.ts";
import { waitUntil } from "../support/wait.ts";
import { type Boxed, startBoxed } from "./box.ts";

const [given = "10m"] = process.argv.slice(2);
const durationMs = parseDuration(given);
/** Interval of measurements at rest; RSS while clients are busy is meaningless. */
const shiftMs = Math.min(30_000, durationMs / 8);
const clients = 50;
/** Tolerated growth of memory at rest from the second quarter to the last, in bytes; V8 collects late. */
const toleratedBytes = 24 * 1024 * 1024;

async function churn({ port }: Boxed, until: number): Promise<void> {
  while (performance.now() < until) {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/echo`, { perMessageDeflate: false });
    ws.on("error", () => undefined);
    ws.on("open", () => {
      for (let i = 0; i < 20; i++) {
        ws.send(Buffer.alloc(10 ** (1 + Math.floor(Math.random() * 4))));
      }
      if (Math.random() < 0.2) {
        ws.pause();
      }
    });
    await sleep(100 + Math.random() * 900);
    if (Math.random() < 0.5) {
      ws.resume();
      ws.close(1000);
    }
    await sleep(100);
    ws.terminate();
  }
}

const server = await startBoxed();
const metrics = `http://127.0.0.1:${server.adminPort}/metrics`;
const rests: { bytes: number; descriptors: number }[] = [];
const end = performance.now() + durationMs;
while (performance.now() < end) {
  const until = Math.min(end, performance.now() + shiftMs);
  await Promise.all(Array.from({ length: clients }, () => churn(server, until)));
  // The neighbour stays connected.
  await waitUntil(
    async () => (await scrape(metrics))["echo_connections"] === 1,
    "clients to be gone",
    120_000,
  );
  const descriptors = (await scrape(metrics))["process_open_fds"] ?? 0;
  rests.push({ bytes: server.residentBytes(), descriptors });
  process.stdout.write(`${Math.round(server.residentBytes() / 2 ** 20)} MiB, ${descriptors} descriptors\n`);
}
const opened = (await scrape(metrics))["echo_connections_opened_total"] ?? 0;
const isAlive = await server.isAlive();
const code = await server.stop();
const quarter = Math.floor(rests.length / 4);
const least = (part: typeof rests, of: "bytes" | "descriptors"): number =>
  Math.min(...part.map((rest) => rest[of]));
const [early, late] = [rests.slice(quarter, 2 * quarter + 1), rests.slice(-quarter - 1)];
const grownBytes = least(late, "bytes") - least(early, "bytes");
const grownDescriptors = least(late, "descriptors") - least(early, "descriptors");
process.stdout.write(
  `${opened} connections; at rest: ${Math.round(grownBytes / 1024)} KiB and ${grownDescriptors} descriptors more\n`,
);
process.exit(isAlive && code === 0 && grownBytes < toleratedBytes && grownDescriptors <= 2 ? 0 : 1);
