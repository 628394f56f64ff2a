// Computes the figures of a probe: latencies of an open loop beside a load.

import type { Crew } from "../load/crew.ts";
import { type Tally, useTimes } from "../load/tally.ts";
import type { Result } from "../result/schema.ts";
import type { Scenario } from "./scenario.ts";
import { timedFigures } from "./usage.ts";

/** The number of the probe's group. */
const group = 1;

/** @returns null without a probe */
export function probeFigures(scenario: Scenario, crew: Crew, firstStep: number): Result["probe"] {
  if (scenario.kind === "http" || scenario.probe === undefined) {
    return null;
  }
  const tallies = crew.tallies(group);
  const steps = tallies.slice(1 + firstStep);
  const sum = (of: readonly Tally[], name: keyof Tally["counters"]): number =>
    of.reduce((total, { counters }) => total + counters[name], 0);
  const [sent, unsent] = [sum(steps, "sent"), sum(steps, "unsent")];
  const latency = useTimes(steps, "latency", timedFigures);
  return {
    ...scenario.probe,
    opened: sum(tallies, "opened"),
    messages: {
      due: sent + unsent,
      sent,
      unsent,
      received: sum(steps, "answered"),
      lost: sum(steps, "lost"),
      corrupt: sum(steps, "corrupt"),
    },
    latencyUs: latency?.latencyUs ?? null,
    lagUs: useTimes(steps, "lag", ({ histogram }) =>
      histogram.totalCount === 0 ? null : histogram.getValueAtPercentile(99) / 1000,
    ),
    histogram: latency?.histogram ?? null,
  };
}
