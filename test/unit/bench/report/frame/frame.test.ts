import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { renderPage } from "../../../../../bench/report/frame/frame.ts";
import type { Page, Subject } from "../../../../../bench/report/frame/page.ts";

const subject: Subject = {
  title: "a </script> & b",
  badge: { text: "found", tone: "good", meaning: "it holds 18,400/s" },
  summary: ["First.", "second"],
  tiles: [{ label: "Rate", value: "18,400/s", note: "95 %: 1 to 2", delta: { text: "+1 %", tone: "bad" } }],
  failures: [],
  warnings: ["short <run>"],
  thresholds: [
    { expression: "p99<5ms", actual: "7.00 ms", passed: false },
    { expression: "lost==0", actual: "0", passed: true },
  ],
  command: ["uws-echo-bench search \\", "  'ws://a'"],
  startedAt: "2026-11-22T12:00:00.000Z",
  environment: "Test CPU",
  document: { kind: "uws-echo-bench/search" },
};

function pageWith(changes: Partial<Page>): string {
  return renderPage({ title: "A & B", subjects: [subject], sections: [], ...changes });
}

test("every threshold is in the page, with what it was and whether it passed", () => {
  const html = pageWith({});
  assert.match(html, /<code>p99&lt;5ms<\/code><\/td><td>7\.00 ms<\/td>\s*<td class="bad">✗ fail/);
  assert.match(html, /<code>lost==0<\/code><\/td><td>0<\/td>\s*<td class="good">✓ pass/);
  assert.doesNotMatch(pageWith({ subjects: [{ ...subject, thresholds: [] }] }), /Thresholds/);
});

test("escapes texts everywhere", () => {
  const html = pageWith({ subjects: [subject, { ...subject, failures: ["<b>"] }] });
  assert.match(html, /<h1>A &amp; B<\/h1>/);
  assert.match(html, /<h2>a &lt;\/script&gt; &amp; b<\/h2>/);
  assert.match(html, /<li>short &lt;run&gt;<\/li>/);
  assert.match(html, /Not acceptable: &lt;b&gt;\./);
  assert.match(html, /<pre>uws-echo-bench search \\\n {2}'ws:\/\/a'<\/pre>/);
  assert.doesNotMatch(html, /\{\{|undefined|NaN/);
});

test("the link to the document holds it, under a name of its kind and time", () => {
  const [, name, data = ""] =
    /download="([^"]+)" href="data:application\/json;base64,([^"]+)"/.exec(pageWith({})) ?? [];
  assert.equal(name, "search-20261122T120000Z.json");
  assert.deepEqual(JSON.parse(Buffer.from(data, "base64").toString()), subject.document);
});

test("a plot is data for the script, in the place that refers to it", () => {
  const html = pageWith({
    sections: [
      {
        title: "Trials",
        parts: [
          {
            type: "table",
            name: "Trials",
            headings: ["Rate", ""],
            rows: [{ cells: ["1", "<2>"], subject: 9 }],
          },
          {
            type: "plot",
            title: "Load",
            note: "n",
            x: { label: "Time", unit: "seconds" },
            y: { label: "Rate", unit: "number" },
            lines: [{ label: "</script>", subject: 0, style: "solid", x: [1], y: [null] }],
          },
        ],
      },
    ],
  });
  assert.match(html, /<div class="plot" data-plot="0">/);
  const [, json = ""] = /id="plots">(.*?)<\/script>/s.exec(html) ?? [];
  assert.equal((JSON.parse(json) as { lines: { label: string }[] }[])[0]?.lines[0]?.label, "</script>");
  assert.match(html, /<tr style="--subject: var\(--c1\)"><td class="text"><span class="key"><\/span>1<\/td>/);
  assert.match(html, /<td class="figure">&lt;2&gt;<\/td>/);
});

test("the page lets only its own script run, and brings the licence of uPlot", () => {
  const html = pageWith({});
  const [, script = ""] = /<script>(.*?)<\/script>/s.exec(html) ?? [];
  assert.ok(html.includes(`script-src 'sha256-${createHash("sha256").update(script).digest("base64")}'`));
  assert.match(html, /Permission is hereby granted/);
});
