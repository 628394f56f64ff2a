// `npm run test:attack [-- <part of a name>]`: replays attacks against a server in a box of 256 MiB and says what held.
import { attacks } from "./attacks.ts";
import { boxBytes, startBoxed } from "./box.ts";

/** What a neighbour may wait for an echo meanwhile, in milliseconds; attackers share the machine with the server. */
const maxEchoMs = 5000;

const [wanted = ""] = process.argv.slice(2);
let failures = 0;
for (const { name, args, before, run } of attacks.filter((attack) => attack.name.includes(wanted))) {
  const server = await startBoxed(args, before);
  const problems: string[] = [];
  await run(server).catch((error: unknown) => problems.push(String(error)));
  const [worstMs, peak] = [Math.round(server.worstEchoMs()), server.peakBytes()];
  if (!(await server.isAlive())) {
    problems.push("it no longer echoes");
  }
  if (peak > boxBytes) {
    problems.push("its memory went beyond the box");
  }
  // The neighbour may have been on the worker that was stopped.
  if (worstMs > maxEchoMs && args === undefined) {
    problems.push("a neighbour waited too long");
  }
  const code = await server.stop();
  if (code !== 0) {
    problems.push(`it ended with ${code}`);
  }
  failures += problems.length > 0 ? 1 : 0;
  const figures = `peak ${Math.round(peak / 2 ** 20)} MiB, worst echo ${worstMs} ms`;
  process.stdout.write(
    `${problems.length === 0 ? "held  " : "FAILED"} ${name} (${figures})${problems.map((each) => `\n       ${each}`).join("")}\n`,
  );
}
process.exit(failures === 0 ? 0 : 1);
