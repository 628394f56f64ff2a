import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { historySchema, judgeHistory } from "../../../../bench/result/history.ts";
import type { Result } from "../../../../bench/result/schema.ts";
import { normalOf } from "../../../support/comparison.ts";
import { exampleResult } from "../../../support/result.ts";

const options = { figures: [], margin: 0.02, recent: 10 };

/** A Result a day, with the given CPU time per message and 2 % of noise. */
function daysOf(
  costsUs: readonly number[],
  seed = 1,
  change: (result: Result, day: number) => void = () => undefined,
): Result[] {
  const normal = normalOf(seed);
  return costsUs.map((costUs, day) =>
    exampleResult((result) => {
      result.window.startedAt = new Date(Date.UTC(2026, 9, 1 + day)).toISOString();
      if (result.server !== undefined) {
        result.server.cpuUsPerMessage = costUs * Math.exp(0.02 * normal());
      }
      change(result, day);
    }),
  );
}

const days = (count: number, costUs: number): number[] => Array.from({ length: count }, () => costUs);

function onlyFigure(results: readonly Result[]) {
  const history = judgeHistory(results, options);
  assert.deepEqual(historySchema.parse(history), history);
  const [track, ...others] = history.tracks;
  assert.equal(others.length, 0);
  assert.ok(track?.figures[0] !== undefined);
  return { track, figure: track.figures[0] };
}

describe("a history", () => {
  test("whose last level is worse is a regression, from the day on which it began", () => {
    const results = daysOf([...days(20, 4), ...days(5, 4.4)], 1, ({ environment }, day) => {
      environment.commit = day < 20 ? "a".repeat(40) : "b".repeat(40);
    });
    const { figure } = onlyFigure(results.toReversed());
    assert.deepEqual(
      [figure.figure, figure.finding, figure.levels.length],
      ["serverCpuPerMessage", "regression", 2],
    );
    const last = figure.levels.at(-1);
    assert.equal(last?.from.id, results[20]?.id);
    assert.ok(Math.abs((last?.ratio ?? 0) - 1.1) < 0.03, String(last?.ratio));
    assert.deepEqual(last?.changes, ["commit aaaaaaaaaa to bbbbbbbbbb"]);
  });

  test("whose last level is better is an improvement; a figure that is better high is judged the other way", () => {
    assert.equal(onlyFigure(daysOf([...days(20, 4), ...days(5, 3.5)])).figure.finding, "improvement");
    const slower = daysOf(days(25, 4), 1, ({ summary }, day) => {
      summary.messagesPerSecond = (day < 20 ? 1000 : 900) * (1 + 0.01 * Math.sin(day));
    });
    const [track] = judgeHistory(slower, { ...options, figures: ["messagesPerSecond", "p99"] }).tracks;
    assert.deepEqual(
      track?.figures.map(({ figure, finding }) => [figure, finding]),
      [
        ["messagesPerSecond", "regression"],
        ["p99", "steady"],
      ],
    );
  });

  test("that changed long ago is steady, and so is one with a change within the margin", () => {
    assert.equal(onlyFigure(daysOf([...days(10, 4), ...days(20, 4.4)])).figure.finding, "steady");
    const small = judgeHistory(daysOf([...days(20, 4), ...days(9, 4.4)]), { ...options, margin: 0.2 });
    assert.equal(small.tracks[0]?.figures[0]?.finding, "steady");
  });

  test("with one outlying Result is steady; when it is the newest, it is reported", () => {
    const outlying = [...days(10, 4), 6, ...days(10, 4)];
    const { figure } = onlyFigure(daysOf(outlying));
    assert.deepEqual([figure.finding, figure.newest], ["steady", null]);
    const newest = onlyFigure(daysOf([...days(20, 4), 6])).figure;
    assert.equal(newest.finding, "steady");
    assert.ok(Math.abs((newest.newest ?? 0) - 1.5) < 0.1, String(newest.newest));
  });

  test("of noise alone is steady in nearly all cases", () => {
    for (const length of [8, 20, 50]) {
      const found = Array.from(
        { length: 100 },
        (_, seed) => onlyFigure(daysOf(days(length, 4), seed + 1)).figure,
      ).filter(({ finding }) => finding !== "steady").length;
      assert.ok(found <= 3, `${found} of 100 at ${length} Results`);
    }
  });

  test("finds 10 % by the third Result that has it", () => {
    const found = Array.from(
      { length: 100 },
      (_, seed) => onlyFigure(daysOf([...days(17, 4), ...days(3, 4.4)], seed + 1)).figure,
    ).filter(({ finding }) => finding === "regression").length;
    assert.ok(found >= 90, `${found} of 100`);
  });

  test("of too few Results says so", () => {
    assert.equal(onlyFigure(daysOf(days(5, 4))).figure.finding, "too-few");
  });

  test("leaves out what is not acceptable or of another machine, and says why", () => {
    const results = daysOf(days(10, 4), 1, (result, day) => {
      if (day === 2) {
        result.messages.lost = 1;
      }
      if (day === 3) {
        result.environment.cores = 64;
      }
    });
    const { track } = onlyFigure(results);
    assert.equal(track.results.length, 8);
    assert.deepEqual(
      track.leftOut.map(({ id, why }) => [id, why]),
      [
        [results[2]?.id, "it is not acceptable: 1 messages were lost"],
        [results[3]?.id, "environment.cores differs: 64 and 2"],
      ],
    );
  });

  test("is one for each target and load", () => {
    const other = daysOf(days(6, 9), 2, (result) => {
      result.scenario.depth = 1;
    });
    const { tracks } = judgeHistory([...daysOf(days(6, 4)), ...other], options);
    assert.deepEqual(
      tracks.map(({ scenario, results }) => [scenario.depth, results.length]),
      [
        [16, 6],
        [1, 6],
      ],
    );
  });
});
