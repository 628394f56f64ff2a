// Sweeps for tests, with figures that follow from the load.

import { recordScenario } from "../../bench/measure/scenario.ts";
import { planEntries } from "../../bench/measure/sweep.ts";
import type { Result } from "../../bench/result/schema.ts";
import {
  type Cell,
  concludeSweep,
  type Sweep,
  sweepPlanKind,
  sweepSchema,
  sweepVersion,
} from "../../bench/result/sweep.ts";
import { exampleResult } from "./result.ts";
import { exampleScenario } from "./virtual-world.ts";

/** A grid of 3 x 2 x 2 loads, measured twice: 1,000 messages/s for each message in flight, and one more the second time. */
export function exampleSweep(
  change: (result: Result, cell: Cell) => void = () => undefined,
  left = 0,
): Sweep {
  const cells = [1, 8, 64].flatMap((connections) =>
    [64, 4096].flatMap((payloadBytes) =>
      [1, 16].map((depth): Cell => ({ connections, payloadBytes, depth, ratePerSecond: null })),
    ),
  );
  const entries = planEntries(cells, 2, 1);
  const results = entries.slice(0, entries.length - left).map((entry) => {
    const result = exampleResult((changed) => {
      changed.summary.messagesPerSecond = 1000 * entry.connections * (entry.depth ?? 1) + entry.repeat;
      change(changed, entry);
    });
    return [entry.file, result] as const;
  });
  const sweep = concludeSweep({
    plan: {
      kind: sweepPlanKind,
      version: sweepVersion,
      label: null,
      startedAt: "2026-11-22T12:00:00.000Z",
      target: "node server.js {port}",
      seed: 1,
      scenario: recordScenario(exampleScenario()),
      entries,
    },
    results: new Map(results),
    missing: [],
    stop: left === 0 ? "complete" : "interrupted",
    command: ["sweep", "node server.js {port}", "-c", "1,8,64"],
  });
  return sweepSchema.parse(sweep);
}
