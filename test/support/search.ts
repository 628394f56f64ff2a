// Searches for tests: of a simulated target, with everything that a real one has.

import { search } from "../../bench/measure/search.ts";
import { describeInversions, failuresOf } from "../../bench/report/search/words.ts";
import {
  type Rule,
  type Search,
  searchKind,
  searchSchema,
  searchVersion,
} from "../../bench/result/search.ts";
import { exampleResult } from "./result.ts";
import { SimulatedRig, type Simulation } from "./simulated-rig.ts";

export const exampleRule: Rule = {
  trialMs: 2000,
  sumMs: 14_000,
  exceedRatio: 0.5,
  width: 0.02,
  isWhole: false,
  min: 100,
  max: 100_000,
};

/** The Search of a simulated target that holds 10,000/s, or what the test says. */
export async function exampleSearch(changes: Partial<Simulation> = {}, endMs = 600_000): Promise<Search> {
  const simulation: Simulation = { capacities: [10_000, 12_000], ...changes };
  const found = await search(
    {
      slos: simulation.capacities.map((_, index) => `p99<${5 * (index + 1)}ms`),
      rule: exampleRule,
      start: { load: 10_500, step: 0.04 },
      settleMs: 1000,
      confirmMs: 5000,
      endMs,
    },
    new SimulatedRig(simulation),
  );
  const { scenario, environment } = exampleResult();
  const document: Omit<Search, "failures" | "warnings"> = {
    kind: searchKind,
    version: searchVersion,
    label: null,
    startedAt: "2026-11-22T12:00:00.000Z",
    seconds: 71,
    target: "ws://127.0.0.1:9998/echo",
    over: "rate",
    ratePerConnection: null,
    scenario,
    rule: exampleRule,
    saturationPerSecond: 10_500,
    ...found,
    environment,
    command: ["search", "ws://127.0.0.1:9998/echo", "--slo", "p99<5ms"],
  };
  return searchSchema.parse({
    ...document,
    failures: failuresOf(document),
    warnings: describeInversions(document),
  });
}
