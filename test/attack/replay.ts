// `npm run test:attack [-- <part of a name>]`: replays attacks against a server in a box of 256 MiB and says what held.
import { boxBytes, startBoxed } from "./box.ts";
import { frameAttacks } from "./frame-attacks.ts";
import { logAttacks } from "./log-attacks.ts";
import { plainAttacks } from "./plain-attacks.ts";
import { tlsAttacks } from "./tls-attacks.ts";

/** Longest wait of the neighbour for an echo, in milliseconds; attackers share the machine with the server. */
const maxEchoMs = 5000;

const [wanted = ""] = process.argv.slice(2);
let failures = 0;
const attacks = [...plainAttacks, ...frameAttacks, ...tlsAttacks, ...logAttacks];
for (const attack of attacks.filter(({ name }) => name.includes(wanted))) {
  const { name, mayStopNeighbour = false, run } = attack;
  const server = await startBoxed(attack);
  const problems: string[] = [];
  await run(server).catch((error: unknown) => problems.push(String(error)));
  const [worstMs, peak] = [Math.round(server.worstEchoMs()), server.peakBytes()];
  if (!(await server.isAlive())) {
    problems.push("it no longer echoes");
  }
  if (peak > boxBytes) {
    problems.push("its memory went beyond the box");
  }
  if (worstMs > maxEchoMs && !mayStopNeighbour) {
    problems.push(
      Number.isFinite(worstMs) ? "a neighbour waited too long" : "the connection of a neighbour ended",
    );
  }
  const code = await server.stop();
  if (code !== 0) {
    problems.push(`it ended with ${code}`);
  }
  failures += problems.length > 0 ? 1 : 0;
  const figures = `peak ${Math.round(peak / 2 ** 20)} MiB, ${Number.isFinite(worstMs) ? `worst echo ${worstMs} ms` : "the neighbour ended"}`;
  process.stdout.write(
    `${problems.length === 0 ? "held  " : "FAILED"} ${name} (${figures})${problems.map((each) => `\n       ${each}`).join("")}\n`,
  );
}
process.exit(failures === 0 ? 0 : 1);
