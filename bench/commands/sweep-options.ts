// The options of `sweep`: those of a load, some of them as lists, whose combinations form the grid.

import type { Command } from "commander";
import { z } from "zod";
import { parseNumber } from "../../src/lib/units.ts";
import { isUrl } from "../measure/once.ts";
import type { WebSocketScenario } from "../measure/scenario.ts";
import { type Cell, type Factor, factors } from "../result/sweep.ts";
import { addLoadOptions, readLoad } from "./load-options.ts";
import {
  checkTogether,
  listSchema,
  quantity,
  readFields,
  resultShape,
  UsageError,
  type ValuesOf,
  whole,
} from "./option-schemas.ts";
import { addStartableOptions, pathProblems, startableProblems } from "./startable.ts";

const mostLevels = 100;
const mostMeasurements = 10_000;

const levels = listSchema.pipe(z.array(z.string()).max(mostLevels, `must be at most ${mostLevels} values`));

const shape = {
  connections: levels,
  payload: levels,
  depth: levels.optional(),
  rate: levels.optional(),
  repeat: quantity(parseNumber, whole(1, 1000)),
  label: resultShape.label,
  pid: resultShape.pid,
  metricsUrl: resultShape.metricsUrl,
};

type Values = ValuesOf<typeof shape>;
type Raw = Readonly<Record<string, unknown>>;

/** The option of each factor. */
const options: Readonly<Record<Factor, keyof Values & string>> = {
  connections: "connections",
  payloadBytes: "payload",
  depth: "depth",
  ratePerSecond: "rate",
};

/** The default of a missing or invalid list. */
const defaults: Readonly<Record<Factor, string | undefined>> = {
  connections: "64",
  payloadBytes: "64",
  depth: undefined,
  ratePerSecond: undefined,
};

export interface SweepCommand {
  readonly target: string;
  readonly label: string | null;
  readonly pid: number | undefined;
  readonly metricsUrl: string | undefined;
  readonly repeats: number;
  readonly cells: readonly Cell[];
  /** The load of a cell. */
  readonly scenarioOf: (cell: Cell, seed: number) => WebSocketScenario;
}

const helpOfLists: readonly (readonly [name: string, flags: string, description: string])[] = [
  ["connections", "-c, --connections <numbers>", "WebSocket connections to open, as in 1,64,1k"],
  ["depth", "-p, --depth <numbers>", "closed loop: messages in flight per connection (default: 1)"],
  ["rate", "-r, --rate <per second>", "open loop: messages per second over all connections"],
  ["payload", "-s, --payload <sizes|@file>", "payload sizes, each measured separately, as in 64,1KiB,64KiB"],
];

/** Adds the options of `sweep` to its command. */
export function addSweepOptions(command: Command): Command {
  addLoadOptions(command, { duration: "3s", warmup: "1s" });
  for (const [name, flags, description] of helpOfLists) {
    const option = command.options.find((each) => each.attributeName() === name);
    if (option !== undefined) {
      Object.assign(option, { flags, description });
    }
  }
  return addStartableOptions(
    command.optionsGroup("Sweep:").option("--repeat <number>", "how often to measure each combination", "1"),
  ).optionsGroup("");
}

/** Checks all options. @throws UsageError with every problem */
export function readSweepOptions(target: string, raw: Raw): SweepCommand {
  const { values, problems } = readFields(shape, raw);
  const path = String(raw["path"]);
  problems.push(...pathProblems(path), ...startableProblems(target));
  const url = isUrl(target) ? target : `ws://127.0.0.1${path}`;
  const grid = checkTogether(problems, () =>
    readGrid(values, (texts) => readLoad(url, { ...raw, ...texts })),
  );
  const checked = values as Values;
  const cells = cellsOf(grid);
  if (cells.length * checked.repeat > mostMeasurements) {
    throw new UsageError([
      `${cells.length * checked.repeat} measurements are too many: at most ${mostMeasurements} are allowed`,
    ]);
  }
  return {
    target,
    label: checked.label ?? null,
    pid: checked.pid,
    metricsUrl: checked.metricsUrl,
    repeats: checked.repeat,
    cells,
    scenarioOf: (cell, seed) => ({
      ...readLoad(url, { ...raw, ...textsOf(grid, cell), seed: String(seed) }),
      label: checked.label ?? null,
    }),
  };
}

/** The levels of each factor, each with its text; one level without a text for a factor that is not given. */
type Grid = Readonly<Record<Factor, readonly Level[]>>;

interface Level {
  readonly value: number | null;
  readonly text: string | undefined;
}

type Texts = Readonly<Record<string, string | undefined>>;

/** Reads each level together with the first ones of all other factors. @throws UsageError with every problem */
function readGrid(values: Partial<Values>, read: (texts: Texts) => WebSocketScenario): Grid {
  const textsOfFactor = (factor: Factor): readonly (string | undefined)[] =>
    (values[options[factor]] as readonly string[] | undefined) ?? [defaults[factor]];
  const first = Object.fromEntries(factors.map((factor) => [options[factor], textsOfFactor(factor)[0]]));
  const problems: string[] = [];
  const levelsOf = (factor: Factor): Level[] => {
    const found = textsOfFactor(factor).flatMap((text): Level[] => {
      try {
        return [{ text, value: levelOf(read({ ...first, [options[factor]]: text }), factor) }];
      } catch (error) {
        if (!(error instanceof UsageError)) {
          throw error;
        }
        problems.push(...error.problems);
        return [];
      }
    });
    const twice = found.filter(
      ({ value }, index) => found.findIndex((each) => each.value === value) !== index,
    );
    problems.push(...twice.map(({ text }) => `--${options[factor]}: ${text ?? ""} is given twice`));
    return found;
  };
  const grid = {
    connections: levelsOf("connections"),
    payloadBytes: levelsOf("payloadBytes"),
    depth: levelsOf("depth"),
    ratePerSecond: levelsOf("ratePerSecond"),
  };
  if (problems.length > 0) {
    throw new UsageError([...new Set(problems)]);
  }
  return grid;
}

function levelOf({ connections, endpoint, loop }: WebSocketScenario, factor: Factor): number | null {
  switch (factor) {
    case "connections":
      return connections;
    case "payloadBytes":
      return endpoint.payloads[0]?.length ?? 0;
    case "depth":
      return loop.kind === "closed" ? loop.depth : null;
    case "ratePerSecond":
      return loop.kind === "open" ? loop.ratePerSecond : null;
  }
}

function cellsOf(grid: Grid): Cell[] {
  return grid.connections.flatMap(({ value: connections }) =>
    grid.payloadBytes.flatMap(({ value: payloadBytes }) =>
      grid.depth.flatMap(({ value: depth }) =>
        grid.ratePerSecond.map(({ value: ratePerSecond }) => ({
          connections: connections ?? 0,
          payloadBytes: payloadBytes ?? 0,
          depth,
          ratePerSecond,
        })),
      ),
    ),
  );
}

function textsOf(grid: Grid, cell: Cell): Texts {
  return Object.fromEntries(
    factors.map((factor) => [
      options[factor],
      grid[factor].find(({ value }) => value === cell[factor])?.text,
    ]),
  );
}
