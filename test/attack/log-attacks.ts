// Attacks the log: an unread pipe or a full disk must not stop the server.
import { once } from "node:events";
import { connect } from "node:net";
import { scrape } from "../support/echo-server.ts";
import { type Attack, upgrade } from "./attack.ts";
import type { Boxed } from "./box.ts";

/** Opens and closes connections, each of which logs two lines, until lines are dropped. */
async function makeLines({ port, adminPort }: Boxed): Promise<void> {
  const metrics = `http://127.0.0.1:${adminPort}/metrics`;
  for (let i = 0; i < 200; i++) {
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const socket = connect(port, "127.0.0.1").on("error", () => undefined);
        socket.write(upgrade);
        await Promise.race([once(socket, "data"), once(socket, "close")]);
        socket.destroy();
      }),
    );
    if (((await scrape(metrics))["echo_log_lines_dropped_total"] ?? 0) > 0) {
      return;
    }
  }
  throw new Error("no line was dropped");
}

export const logAttacks: readonly Attack[] = [
  {
    name: "10,000 connections logged to a pipe that nobody reads",
    args: ["--log-level", "debug"],
    log: "unread pipe",
    run: makeLines,
  },
  {
    name: "10,000 connections logged to a full disk",
    args: ["--log-level", "debug"],
    log: "full disk",
    run: makeLines,
  },
];
