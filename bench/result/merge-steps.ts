// Merges the steps and the ended connections of several generators of one run.

import { sumOf } from "./aggregate.ts";
import { addHistograms, decodeHistogram, encodeHistogram, latencyOf } from "./histogram.ts";
import { addCounts, addEncoded, extremes, mergeClients, mergeServers } from "./merge-figures.ts";
import type { EncodedHistogram, ResultStep } from "./schema.ts";
import type { Close } from "./schema-figures.ts";

/** Step by step, as far as every generator came. */
export function mergeSteps(parts: readonly (readonly ResultStep[])[]): ResultStep[] {
  const length = Math.min(...parts.map((steps) => steps.length));
  return Array.from({ length }, (_, number) =>
    mergeStep(parts.map((steps) => steps[number]).filter((step) => step !== undefined)),
  );
}

function mergeStep(steps: readonly ResultStep[]): ResultStep {
  const [first] = steps as readonly [ResultStep, ...ResultStep[]];
  const added = (read: (step: ResultStep) => EncodedHistogram) =>
    addHistograms(steps.map((step) => decodeHistogram(read(step))));
  const latency = added(({ histograms }) => histograms.latency);
  const service = added(({ histograms }) => histograms.service);
  const messagesPerSecond = sumOf(steps, ({ summary }) => summary.messagesPerSecond);
  const server = mergeServers(steps, messagesPerSecond);
  return {
    name: first.name,
    fromSeconds: first.fromSeconds,
    seconds: Math.max(...steps.map(({ seconds }) => seconds)),
    complete: steps.every(({ complete }) => complete),
    summary: {
      messagesPerSecond,
      bytesPerSecond: sumOf(steps, ({ summary }) => summary.bytesPerSecond),
      latencyUs: latencyOf(latency, extremes(steps.map(({ summary }) => summary.latencyUs))),
      serviceUs: latencyOf(service, extremes(steps.map(({ summary }) => summary.serviceUs))),
    },
    messages: addCounts(steps.map(({ messages }) => messages)),
    connections: addCounts(steps.map(({ connections }) => connections)),
    client: mergeClients(steps),
    ...(server === undefined ? {} : { server }),
    histograms: {
      latency: encodeHistogram(latency.histogram, latency.unitNs),
      service: encodeHistogram(service.histogram, service.unitNs),
      unsent: addEncoded(steps.map(({ histograms }) => histograms.unsent)),
    },
  };
}

/** Those that ended alike in the same second add up. */
export function mergeCloses(parts: readonly (readonly Close[])[]): Close[] {
  const sum: Close[] = [];
  for (const close of parts.flat()) {
    const { second, kind, code, status } = close;
    const alike = sum.find(
      (each) => each.second === second && each.kind === kind && each.code === code && each.status === status,
    );
    if (alike === undefined) {
      sum.push({ ...close });
    } else {
      alike.count += close.count;
    }
  }
  return sum.sort((a, b) => a.second - b.second);
}
