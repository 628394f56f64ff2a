// The families process_* and nodejs_* of the process that answers a scrape, under the names that dashboards for Node
// use. prom-client's own cannot be stopped, count CPU time from their registration and list every descriptor.
import { getHeapSpaceStatistics } from "node:v8";
import type { Sample } from "../lib/bulk-histogram.ts";
import { descriptorLimit, openDescriptors } from "../system/resources.ts";
import { gcDurationBounds, gcKinds, linuxMemory, type RuntimeMonitor } from "./process-sampler.ts";
import type { Families } from "./prom-client.ts";

const startedAtSeconds = Math.round(Date.now() / 1000 - process.uptime());

export function defineProcess(families: Families, monitor: RuntimeMonitor): void {
  defineCpuAndMemory(families);
  defineDescriptors(families);
  defineEventLoop(families, monitor);
  defineHeap(families);
  defineRuntime(families, monitor);
}

function defineCpuAndMemory(families: Families): void {
  const cpu = (pick: (usage: NodeJS.CpuUsage) => number) => (): number => pick(process.cpuUsage()) / 1e6;
  families.counter(
    "process_cpu_user_seconds_total",
    "User CPU time of the process that answers, in seconds",
    cpu(({ user }) => user),
  );
  families.counter(
    "process_cpu_system_seconds_total",
    "System CPU time of the process that answers, in seconds",
    cpu(({ system }) => system),
  );
  families.counter(
    "process_cpu_seconds_total",
    "User and system CPU time of the process that answers, in seconds",
    cpu(({ user, system }) => user + system),
  );
  families.gauge(
    "process_start_time_seconds",
    "When the process that answers started, in seconds since 1970",
    () => startedAtSeconds,
  );
  families.gauge("process_resident_memory_bytes", "Resident memory of the process that answers", () =>
    process.memoryUsage.rss(),
  );
  if (linuxMemory() !== undefined) {
    families.gauge(
      "process_virtual_memory_bytes",
      "Virtual memory of the process that answers",
      () => linuxMemory()?.virtualBytes ?? 0,
    );
    families.gauge(
      "process_heap_bytes",
      "Data segment of the process that answers",
      () => linuxMemory()?.dataBytes ?? 0,
    );
  }
}

function defineDescriptors(families: Families): void {
  if (openDescriptors() === undefined) {
    return;
  }
  families.gauge(
    "process_open_fds",
    "Open file descriptors of the process that answers",
    () => openDescriptors() ?? 0,
  );
  const limit = descriptorLimit();
  families.gauge(
    "process_max_fds",
    "Limit on open file descriptors of the process that answers",
    () => limit,
  );
}

function defineEventLoop(families: Families, monitor: RuntimeMonitor): void {
  let delay = monitor.takeDelay();
  // This family takes the measurements for the families after it.
  families.gauge("nodejs_eventloop_lag_min_seconds", "Least delay of a timer since the last scrape", () => {
    delay = monitor.takeDelay();
    return delay.min;
  });
  const others = {
    max: "Longest",
    mean: "Mean",
    stddev: "Standard deviation of the",
    p50: "Median of the",
    p90: "90th percentile of the",
    p99: "99th percentile of the",
  } as const;
  for (const [name, what] of Object.entries(others)) {
    families.gauge(
      `nodejs_eventloop_lag_${name}_seconds`,
      `${what} delay of a timer since the last scrape`,
      () => delay[name as keyof typeof others],
    );
  }
}

function defineHeap(families: Families): void {
  families.gauge("nodejs_heap_size_total_bytes", "Size of V8's heap", () => process.memoryUsage().heapTotal);
  families.gauge(
    "nodejs_heap_size_used_bytes",
    "Part of V8's heap in use",
    () => process.memoryUsage().heapUsed,
  );
  families.gauge(
    "nodejs_external_memory_bytes",
    "Memory outside V8's heap that belongs to its objects",
    () => process.memoryUsage().external,
  );
  const spaces = (pick: "space_size" | "space_used_size" | "space_available_size") => (): Sample[] =>
    getHeapSpaceStatistics().map((space) => [
      { space: space.space_name.replace(/_space$/, "") },
      space[pick],
    ]);
  families.gaugeBy(
    ["space"],
    "nodejs_heap_space_size_total_bytes",
    "Size of each space of V8's heap",
    spaces("space_size"),
  );
  families.gaugeBy(
    ["space"],
    "nodejs_heap_space_size_used_bytes",
    "Part of each space of V8's heap in use",
    spaces("space_used_size"),
  );
  families.gaugeBy(
    ["space"],
    "nodejs_heap_space_size_available_bytes",
    "Part of each space of V8's heap that is free",
    spaces("space_available_size"),
  );
}

function defineRuntime(families: Families, monitor: RuntimeMonitor): void {
  families.gaugeBy(
    ["type"],
    "nodejs_active_resources",
    "Resources that keep the event loop alive, by type; uWebSockets.js's own sockets are not among them",
    () => {
      const counts = new Map<string, number>();
      for (const type of process.getActiveResourcesInfo()) {
        counts.set(type, (counts.get(type) ?? 0) + 1);
      }
      return [...counts].map(([type, count]) => [{ type }, count]);
    },
  );
  const [major = 0, minor = 0, patch = 0] = process.versions.node.split(".").map(Number);
  families.gaugeBy(
    ["version", "major", "minor", "patch"],
    "nodejs_version_info",
    "Always 1; the labels show the version of Node.js",
    () => [[{ version: process.version, major, minor, patch }, 1]],
  );
  families.histogramBy("nodejs_gc_duration_seconds", "Garbage collections, by kind", () =>
    gcKinds.map((kind) => [{ kind }, { bounds: gcDurationBounds, ...monitor.collections(kind) }]),
  );
}
