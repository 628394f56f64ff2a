// The options and the outcome of a storm for tests: five seconds before it, and its seconds as given.
import type { CounterName } from "../../bench/load/metrics.ts";
import type { GroupFigures } from "../../bench/measure/figures.ts";
import type { SessionOutcome } from "../../bench/measure/session.ts";
import type { StormOptions } from "../../bench/measure/storm.ts";
import { exampleFigures, exampleOutcome, exampleSample, exampleStep, timedFigures } from "./session.ts";
import { exampleScenario } from "./virtual-world.ts";

const { payloads, type, verify, ...endpoint } = exampleScenario().endpoint;

export const stormOptions: StormOptions = {
  label: null,
  target: { ...endpoint, engine: "raw" },
  connections: 100,
  ratePerSecond: 50,
  arrivals: "even",
  background: { connections: 10, ratePerSecond: 100 },
  traffic: "echo",
  payload: new Uint8Array(64),
  beforeMs: 5000,
  durationMs: 4000,
  reconnect: { kind: "backoff", baseMs: 1000, maxMs: 30_000, jitter: "full" },
  expectedCloses: [],
  resources: { threads: 1, seed: 1, part: undefined },
};

/** One second of the storm. */
export interface StormStep {
  readonly storm: Partial<Record<CounterName, number>>;
  readonly open: number;
  readonly refused?: number;
  readonly othersUs: number;
  readonly openUs?: number;
}

export function stormOutcome(
  seconds: readonly StormStep[],
  changes: Partial<SessionOutcome> = {},
): SessionOutcome {
  const others = (us: number): GroupFigures =>
    exampleFigures(
      { sent: 100, answered: 100 },
      { distributions: { ...exampleFigures().distributions, latency: timedFigures(Array(100).fill(us)) } },
    );
  const samples = (fromSeconds: number, cpuSeconds: readonly [number, number]) => ({
    source: "pid" as const,
    cpus: null,
    samples: [
      exampleSample(fromSeconds, { cpuSeconds: cpuSeconds[0] }),
      exampleSample(fromSeconds + 1, { cpuSeconds: cpuSeconds[1] }),
    ],
  });
  return exampleOutcome(
    [
      exampleStep("before", 0, 5000, {
        groups: { storm: exampleFigures(), background: others(1000) },
        // A tenth of a core.
        server: samples(4, [10, 10.1]),
      }),
      ...seconds.map(({ storm, open, refused = 0, othersUs, openUs = 20_000 }, at) =>
        exampleStep(`storm ${at + 1}`, 5000 + 1000 * at, 1000, {
          groups: {
            storm: exampleFigures(storm, {
              openConnections: open,
              closes:
                refused === 0
                  ? []
                  : [{ second: 5 + at, kind: "handshake-refused", code: null, status: 503, count: refused }],
              distributions: {
                ...exampleFigures().distributions,
                open: timedFigures([openUs]),
                absence: timedFigures([openUs]),
              },
            }),
            background: others(othersUs),
          },
          server: samples(5 + at, [20 + at, 21 + at]),
        }),
      ),
    ],
    changes,
  );
}

export const refusedAtFirst: readonly StormStep[] = [
  {
    storm: { begun: 50, opened: 45, failed: 5, retryAfter: 5, sent: 45 },
    open: 45,
    refused: 5,
    othersUs: 50_000,
  },
  { storm: { begun: 55, opened: 55, sent: 55 }, open: 100, othersUs: 90_000, openUs: 40_000 },
  { storm: {}, open: 100, othersUs: 2000 },
  { storm: {}, open: 100, othersUs: 3000 },
];
