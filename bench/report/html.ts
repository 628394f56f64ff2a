// Reports Results as one self-contained HTML page, with data, plot library and script inside.

import { formatBytes, formatNumber, formatPercent } from "../../src/lib/format.ts";
import { decodeHistogram } from "../result/histogram.ts";
import type { Result } from "../result/schema.ts";
import { curvePositions, curveValues } from "./curve.ts";
import {
  describeEnvironment,
  describeLoad,
  describeLoop,
  describeVerdict,
  distinctTitles,
  formatUs,
} from "./describe.ts";
import { escapeXml } from "./escape.ts";
import type { PageData, PageResult } from "./page-data.ts";
import { fillTemplate } from "./template.ts";

/** A self-contained page with the plots of all Results, one over the other. */
export function formatHtml(results: readonly Result[]): string {
  const data = pageData(results);
  return fillTemplate("page.html", {
    title: escapeXml(data.title),
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
