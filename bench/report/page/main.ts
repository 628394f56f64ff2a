// The script of the HTML report: writes the measurements in words and figures, and draws their plots.

import { formatBytes, formatCompact, formatDurationUs, formatPercent } from "../../../src/lib/format.ts";
import type { PageData, PageResult } from "../page-data.ts";
import { byId, element } from "./element.ts";
import { addPercentilePlot } from "./percentile-plot.ts";
import { watchColors } from "./plot.ts";
import { addTimePlot, powersOfTwo } from "./time-plot.ts";

const badgeKinds: Readonly<Record<string, string>> = {
  "server-bound": "good",
  "rate-limited": "good",
  "client-bound": "bad",
  invalid: "bad",
};

function runStyle(index: number): string {
  return `--run: var(--c${index % 8})`;
}

function addCard(result: PageResult, index: number): void {
  const { title, verdict, verdictText, load, engine, loop, failures, warnings } = result;
  const card = element(
    "article",
    { class: "card", style: runStyle(index) },
    element(
      "div",
      { class: "run-head" },
      element("h2", {}, title),
      element("span", { class: `badge ${badgeKinds[verdict] ?? ""}`, title: verdictText }, verdict),
    ),
    element("p", {}, load),
    element("p", { class: "note" }, `${verdictText} · engine ${engine} · ${loop}`),
  );
  if (failures.length > 0) {
    card.append(element("p", { class: "failed" }, `Not acceptable: ${failures.join("; ")}.`));
  }
  if (warnings.length > 0) {
    const items = warnings.map((warning) => element("li", {}, warning));
    card.append(element("ul", { class: "warnings" }, ...items));
  }
  byId("runs").append(card);
}

function addFigures(results: readonly PageResult[]): void {
  const headings = Object.keys(results[0]?.figures ?? {});
  const head = headings.map((heading) => element("th", { scope: "col" }, heading));
  byId("figures").append(
    element("tr", {}, element("th", { scope: "col" }, "Run"), ...head),
    ...results.map(({ title, figures }, index) =>
      element(
        "tr",
        { style: runStyle(index) },
        element("td", {}, element("span", { class: "key" }), title),
        ...headings.map((heading) => element("td", {}, figures[heading] ?? "-")),
      ),
    ),
  );
}

function addEnvironments(results: readonly PageResult[]): void {
  const environments = new Set(results.map(({ environment }) => environment));
  const starts = new Set(results.map(({ startedAt }) => startedAt));
  byId("environment").append(
    ...[...environments].map((text) => element("p", {}, text)),
    element("p", {}, `Measured ${[...starts].join(", ")}`),
  );
}

function addPlots({ positions, results }: PageData): void {
  addPercentilePlot(positions, results);
  addTimePlot(results, {
    title: "Rate over time",
    note: "Messages per second",
    fields: [{ name: "messagesPerSecond" }],
    format: formatCompact,
  });
  addTimePlot(results, {
    title: "Latency over time",
    note: "Solid: p99 of each second. Dashed: its median. The axis is logarithmic.",
    fields: [
      { name: "p99Us", suffix: "p99" },
      { name: "p50Us", suffix: "p50", isDashed: true },
    ],
    format: formatDurationUs,
    isLogarithmic: true,
  });
  addTimePlot(results, {
    title: "CPU over time",
    note: "100 % is one core. Solid: server. Dashed: client.",
    fields: [
      { name: "serverCpuPercent", suffix: "server" },
      { name: "clientCpuPercent", suffix: "client", isDashed: true },
    ],
    format: formatPercent,
    atLeast: 100,
  });
  addTimePlot(results, {
    title: "Server buffers over time",
    note: "Bytes that the server buffered for slow readers",
    fields: [{ name: "serverBufferedBytes" }],
    format: formatBytes,
    atLeast: 1024,
    steps: powersOfTwo,
  });
}

const data = JSON.parse(byId("data").textContent ?? "") as PageData;
data.results.forEach(addCard);
addFigures(data.results);
addEnvironments(data.results);
addPlots(data);
watchColors();
