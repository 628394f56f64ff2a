// Owns the report as one HTML page that needs nothing else: data, plot library and script are inside it.
// Must not know files other than its own template, page.html, and the plot library's.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { formatBytes, formatNumber, formatPercent } from "../../src/lib/format.ts";
import { decodeHistogram } from "../result/histogram.ts";
import type { Result, Second } from "../result/schema.ts";
import { curvePositions, curveValues } from "./curve.ts";
import {
  describeEnvironment,
  describeLoad,
  describeLoop,
  describeVerdict,
  distinctTitles,
  formatUs,
} from "./describe.ts";

/** What the script in page.html draws. Every curve shares `positions`; every line over time has its own seconds. */
interface PageData {
  readonly title: string;
  readonly positions: readonly number[];
  readonly results: readonly PageResult[];
}

interface PageResult {
  readonly title: string;
  readonly load: string;
  readonly loop: string;
  readonly engine: string;
  readonly startedAt: string;
  readonly environment: string;
  readonly verdict: string;
  readonly verdictText: string;
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
  readonly figures: Readonly<Record<string, string>>;
  readonly latency: readonly (number | null)[];
  /** Null when it is the latency, because the loop has no schedule. */
  readonly service: readonly (number | null)[] | null;
  readonly series: readonly Second[];
}

/** A self-contained page with the plots of all Results, one over the other. */
export function formatHtml(results: readonly Result[]): string {
  const data = pageData(results);
  return fill(readFileSync(new URL("page.html", import.meta.url), "utf8"), {
    title: escapeHtml(data.title),
    plotStyle: readPlotLibrary("uPlot.min.css"),
    plotScript: readPlotLibrary("uPlot.iife.min.js"),
    data: JSON.stringify(data).replaceAll("<", "\\u003c"),
  });
}

function pageData(results: readonly Result[]): PageData {
  const counts = results.map(({ messages }) => messages.received);
  const positions = curvePositions(Math.max(...counts));
  const titles = distinctTitles(results);
  return {
    title: titles.length === 1 ? (titles[0] ?? "") : `${titles.length} measurements`,
    positions,
    results: results.map((result, index) => pageResult(result, titles[index] ?? "", positions)),
  };
}

function pageResult(result: Result, title: string, positions: readonly number[]): PageResult {
  const { histograms, latencyFrom, loop, engine, window, environment, verdict, warnings, series } = result;
  return {
    title,
    load: describeLoad(result),
    loop: describeLoop(loop),
    engine: `${engine.name} ${engine.version}`,
    startedAt: window.startedAt,
    environment: describeEnvironment(environment),
    verdict,
    verdictText: describeVerdict(verdict),
    failures: result.failures,
    warnings,
    figures: pageFigures(result),
    latency: curveValues(decodeHistogram(histograms.latency), positions),
    service:
      latencyFrom === "intended-send" ? curveValues(decodeHistogram(histograms.service), positions) : null,
    series,
  };
}

function pageFigures({ summary, messages, client, server }: Result): Record<string, string> {
  const { latencyUs } = summary;
  return {
    "Messages/s": formatNumber(summary.messagesPerSecond),
    "Payload/s": formatBytes(summary.bytesPerSecond),
    p50: formatUs(latencyUs?.p50),
    p90: formatUs(latencyUs?.p90),
    p99: formatUs(latencyUs?.p99),
    "p99.9": formatUs(latencyUs?.p999),
    "p99.99": formatUs(latencyUs?.p9999),
    max: formatUs(latencyUs?.max),
    Lost: formatNumber(messages.lost),
    Corrupt: formatNumber(messages.corrupt),
    "Server CPU": server?.cpuPercent == null ? "-" : formatPercent(server.cpuPercent),
    "Server CPU/msg": formatUs(server?.cpuUsPerMessage),
    "Client CPU/msg": formatUs(client.cpuUsPerMessage),
  };
}

/** Puts each value where the template says `{{name}}`. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (placeholder, name: string) => values[name] ?? placeholder);
}

function readPlotLibrary(file: string): string {
  return readFileSync(createRequire(import.meta.url).resolve(`uplot/dist/${file}`), "utf8");
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
