import assert from "node:assert/strict";
import { test } from "node:test";
import { renderPage } from "../../../../bench/report/frame/frame.ts";
import { formatSearchesCsv } from "../../../../bench/report/search/csv.ts";
import { formatSearchesMarkdown } from "../../../../bench/report/search/markdown.ts";
import { pageOfSearches } from "../../../../bench/report/search/page.ts";
import { formatSearch } from "../../../../bench/report/search/text.ts";
import { describeGoal, formatLoad, formatSlo } from "../../../../bench/report/search/words.ts";
import { plainLook } from "../../../../src/lib/terminal.ts";
import { exampleSearch } from "../../../support/search.ts";
import type { Simulation } from "../../../support/simulated-rig.ts";

test("the text begins with the verdict on each goal, within 80 columns", async () => {
  const document = await exampleSearch();
  const text = formatSearch(document, { ...plainLook, width: 80 });
  assert.match(
    text,
    /^holds 9,9\d0\/s with p99 < 5 ms; failed at 10,\d{3}\/s \(slo\)\nholds 1[12],\d{3}\/s with p99 < 10 ms/,
  );
  assert.match(text, /^10 % +99\d\/s/m);
  assert.match(text, /^\d+ trials of 2 s after 1 s, from 10,500\/s in a closed loop, 1 min 11 s in all/m);
  assert.doesNotMatch(text, /NOT ACCEPTABLE|undefined|NaN|null/);
  assert.deepEqual(
    text.split("\n").filter((line) => line.length > 80),
    [],
  );
});

test("each verdict on a goal has a sentence, and a goal without an answer is a failure", async () => {
  const sentenceOf = async (changes: Partial<Simulation>, endMs?: number) => {
    const document = await exampleSearch({ capacities: [10_000], ...changes }, endMs);
    const [goal] = document.goals;
    assert.ok(goal !== undefined);
    return { sentence: describeGoal(goal, document), failures: document.failures };
  };
  const { sentence: atLeast, failures } = await sentenceOf({ capacities: [50_000], generatorLimit: 100 });
  assert.match(
    atLeast,
    /^holds at least 4\d,\d{3}\/s with p99 < 5 ms: beyond that the generator was the limit$/,
  );
  assert.deepEqual(failures, [atLeast]);
  const most = await sentenceOf({ capacities: [500_000] });
  assert.equal(most.sentence, "holds 100,000/s with p99 < 5 ms, the most that was asked (--max)");
  assert.deepEqual(most.failures, []);
  const least = await sentenceOf({ capacities: [1] });
  assert.equal(least.sentence, "does not hold p99 < 5 ms even at 100/s, the least that was tried (--min)");
  const late = await sentenceOf({}, 30_000);
  assert.match(
    late.sentence,
    /^in the first trials p99 < 5 ms held at 9,320\/s, not at 10,090\/s; the time was over \(--deadline\)$/,
  );
  const gone = await sentenceOf({ diesAtTrial: 2 });
  assert.match(gone.sentence, /nothing could be measured any more: the target is gone$/);
});

test("inversions are warnings", async () => {
  const document = await exampleSearch({ capacities: [10_000], stalls: 0.3, seed: 3 });
  assert.ok(document.warnings.length > 0);
  for (const warning of document.warnings) {
    assert.match(
      warning,
      /^Inversion \(p99 < 5 ms\): \d+ of \d+ trials? failed at [\d,.]+\/s, although [\d,.]+\/s held/,
    );
  }
  assert.match(formatSearch(document), /^! Inversion/m);
});

test("CSV has a row for each trial and goal, and Markdown and HTML say the same as the text", async () => {
  const document = await exampleSearch();
  const rows = formatSearchesCsv([document]).trimEnd().split("\r\n");
  const { trials, latencies, goals, confirm } = document;
  assert.equal(rows.length, 1 + goals.length * (trials.length + latencies.length) + confirm.length);
  assert.match(
    formatSearchesMarkdown([document]),
    /^\*\*holds 9,9\d0\/s with p99 < 5 ms; failed at 10,\d{3}\/s\*\*$/m,
  );
  const html = renderPage(pageOfSearches([document, { ...document, label: "another" }]));
  assert.match(html, /holds 9,9\d0\/s with p99 &lt; 5 ms; failed at 10,\d{3}\/s/);
  assert.match(html, /<h3>Loads tried: p99 &lt; 10 ms<\/h3>/);
  assert.match(html, /uws-echo-bench search ws:\/\/127\.0\.0\.1:9998\/echo --slo/);
});

test("loads and objectives are written in words", () => {
  assert.deepEqual(
    [formatLoad(18_400, "rate"), formatLoad(1, "connections"), formatLoad(16, "depth")],
    ["18,400/s", "1 connection", "16 in flight"],
  );
  assert.deepEqual(
    ["p99<5ms", "within(5ms)>=99.9%", "p999 < 1s,lost==0", "server.rss<64MiB"].map(formatSlo),
    ["p99 < 5 ms", "within(5 ms) >= 99.9 %", "p999 < 1 s and lost == 0", "server.rss < 64 MiB"],
  );
});
