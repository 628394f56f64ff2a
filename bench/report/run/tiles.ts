// Makes the headline figures of a Result, and their differences to those of another one.

import { formatNumber } from "../../../src/lib/format.ts";
import type { Result } from "../../result/schema.ts";
import { formatUs } from "../describe.ts";
import type { Delta, Tile } from "../frame/page.ts";

interface Interval {
  readonly low: number;
  readonly high: number;
}

interface Figure {
  readonly label: string;
  readonly value: (result: Result) => number | null | undefined;
  readonly interval?: (result: Result) => Interval | null | undefined;
  readonly format: (value: number) => string;
  readonly isBetterHigher?: boolean;
}

const figures: readonly Figure[] = [
  {
    label: "Messages/s",
    value: ({ summary }) => summary.messagesPerSecond,
    interval: ({ intervals }) => intervals?.messagesPerSecond,
    format: formatNumber,
    isBetterHigher: true,
  },
  {
    label: "Latency p50",
    value: ({ summary }) => summary.latencyUs?.p50,
    interval: ({ intervals }) => intervals?.latencyUs.p50,
    format: formatUs,
  },
  {
    label: "Latency p99",
    value: ({ summary }) => summary.latencyUs?.p99,
    interval: ({ intervals }) => intervals?.latencyUs.p99,
    format: formatUs,
  },
  {
    label: "Latency p99.9",
    value: ({ summary }) => summary.latencyUs?.p999,
    interval: ({ intervals }) => intervals?.latencyUs.p999,
    format: formatUs,
  },
  { label: "Latency max", value: ({ summary }) => summary.latencyUs?.max, format: formatUs },
  { label: "Probe p99", value: ({ probe }) => probe?.latencyUs?.p99, format: formatUs },
  { label: "Server CPU/message", value: ({ server }) => server?.cpuUsPerMessage, format: formatUs },
  { label: "Client CPU/message", value: ({ client }) => client.cpuUsPerMessage, format: formatUs },
];

/** @param first the Result that the page compares with; undefined for that one itself */
export function tilesOf(result: Result, first: Result | undefined): Tile[] {
  return [...figures.flatMap((figure) => tileOf(figure, result, first)), unansweredTile(result)];
}

function tileOf(figure: Figure, result: Result, first: Result | undefined): Tile[] {
  const { label, value, interval, format } = figure;
  const own = value(result);
  if (own == null) {
    return [];
  }
  const range = interval?.(result);
  const delta = first === undefined ? undefined : deltaOf(figure, result, first);
  return [
    {
      label,
      value: format(own),
      ...(range == null ? {} : { note: `95 %: ${format(range.low)} to ${format(range.high)}` }),
      ...(delta === undefined ? {} : { delta }),
    },
  ];
}

/** `better` or `worse` only if both intervals are known and do not overlap. */
function deltaOf(
  { value, interval, isBetterHigher = false }: Figure,
  result: Result,
  first: Result,
): Delta | undefined {
  const [own, other] = [value(result), value(first)];
  if (own == null || other == null || other === 0) {
    return undefined;
  }
  const change = own / other - 1;
  const text = `${change < 0 ? "−" : "+"}${Math.abs(100 * change).toFixed(1)} %`;
  const [mine, theirs] = [interval?.(result), interval?.(first)];
  const isApart = mine != null && theirs != null && (mine.low > theirs.high || mine.high < theirs.low);
  return { text, tone: isApart ? (change > 0 === isBetterHigher ? "good" : "bad") : "plain" };
}

function unansweredTile({ messages: { due, lost, unsent, corrupt } }: Result): Tile {
  const bad = lost + unsent + corrupt;
  return {
    label: "Lost, unsent, corrupt",
    value: formatNumber(bad),
    note: `of ${formatNumber(due)} due`,
  };
}
