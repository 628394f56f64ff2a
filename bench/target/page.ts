// Reads Prometheus pages: the usual process metrics, and the echo_ metrics of an uws-echo server.

import { parseMetricsText, type Samples, sumOf } from "../../src/lib/prometheus-text.ts";
import { CounterSum } from "./counters.ts";
import type { ServerSample } from "./sampler.ts";

/** Tolerance for differences between the clocks. */
const clockSlackSeconds = 2;

/** What one page says; counters as they are on it. */
export interface Page {
  /** CPU time of each worker, in seconds; one entry when it is one process. */
  readonly cpuSeconds: ReadonlyMap<string, number>;
  /** Each of those is one thread that does the work, so that one core is its limit. */
  readonly isPerThread: boolean;
  readonly rssBytes: number | null;
  readonly bufferedBytes: number | null;
  readonly droppedMessages: number | null;
  readonly receivedMessages: number | null;
  readonly heapBytes: number | null;
  readonly descriptors: number | null;
  /** When the process started: tells replicas apart. */
  readonly startedSeconds: number | null;
}

/** Makes samples of one page after the other, whose counters may start again. */
export class PageReader {
  readonly #cpu = new CounterSum();
  readonly #counts = new CounterSum();
  readonly #starts = new Set<number>();
  #startedSeconds: number | null = null;
  #firstSeenSeconds: number | undefined;
  readonly #isLate: boolean;

  /** @param firstSeenSeconds when the target was first read; a process that started later counts from 0 */
  constructor(firstSeenSeconds?: number) {
    this.#firstSeenSeconds = firstSeenSeconds;
    this.#isLate = firstSeenSeconds !== undefined;
  }

  read(text: string, takenNs: number): ServerSample | undefined {
    const page = readPage(text);
    if (page === undefined) {
      return undefined;
    }
    const { droppedMessages, receivedMessages, startedSeconds } = page;
    // Counters are kept per replica: those of another must not look like a reset.
    const of = (name: string): string => `${startedSeconds ?? ""} ${name}`;
    const isRestarted = this.#isRestarted(startedSeconds);
    this.#startedSeconds = startedSeconds;
    if (startedSeconds !== null && !isRestarted) {
      this.#starts.add(startedSeconds);
    }
    this.#cpu.take(new Map([...page.cpuSeconds].map(([name, value]) => [of(name), value])), isRestarted);
    this.#counts.take(
      new Map([
        [of("dropped"), droppedMessages ?? 0],
        [of("received"), receivedMessages ?? 0],
      ]),
      isRestarted,
    );
    return {
      takenNs,
      cpuSeconds: this.#cpu.total,
      threadCpuSeconds: page.isPerThread ? new Map(this.#cpu.each) : null,
      waitedSeconds: null,
      rssBytes: page.rssBytes,
      bufferedBytes: page.bufferedBytes,
      droppedMessages: droppedMessages === null ? null : this.#sumOf("dropped"),
      receivedMessages: receivedMessages === null ? null : this.#sumOf("received"),
      workers: Math.max(1, page.cpuSeconds.size),
      replicas: Math.max(1, this.#starts.size),
      memory: {
        pssBytes: null,
        anonymousBytes: null,
        heapBytes: page.heapBytes,
        descriptors: page.descriptors,
        kernel: null,
      },
    };
  }

  /** A different process, which started after the first page. */
  #isRestarted(startedSeconds: number | null): boolean {
    const nowSeconds = Date.now() / 1000;
    this.#firstSeenSeconds ??= nowSeconds;
    const isOther = this.#startedSeconds === null ? this.#isLate : startedSeconds !== this.#startedSeconds;
    return startedSeconds !== null && isOther && startedSeconds > this.#firstSeenSeconds - clockSlackSeconds;
  }

  #sumOf(name: string): number {
    return [...this.#counts.each].reduce((sum, [of, value]) => (of.endsWith(name) ? sum + value : sum), 0);
  }
}

/** Reads a Prometheus page in text format; undefined when it is none, or does not tell the CPU time. */
export function readPage(text: string): Page | undefined {
  const samples = samplesOn(text);
  const workers = samples.get("echo_worker_cpu_seconds_total") ?? [];
  const isShared = workers.length > 1;
  const cpuSeconds = isShared ? workers : (samples.get("process_cpu_seconds_total") ?? []);
  if (cpuSeconds.length === 0) {
    return undefined;
  }
  const sum = (name: string, labels: Record<string, string> = {}): number | null =>
    sumOf(samples, name, labels) ?? null;
  return {
    cpuSeconds: new Map(cpuSeconds.map(({ labels, value }) => [[...labels.values()].join(), value])),
    isPerThread: workers.length > 0 || samples.has("nodejs_version_info"),
    rssBytes: sum(isShared ? "echo_worker_resident_memory_bytes" : "process_resident_memory_bytes"),
    bufferedBytes: sum("echo_buffered_bytes"),
    droppedMessages: sum("echo_sends_total", { result: "dropped" }),
    receivedMessages: sum("echo_messages_received_total"),
    // With several workers, these are the supervisor's.
    heapBytes: isShared ? null : heapOn(samples),
    descriptors: isShared ? null : sum("process_open_fds"),
    startedSeconds: samples.get("process_start_time_seconds")?.[0]?.value ?? null,
  };
}

/** What the usual clients for Node, Go and the JVM call it. */
function heapOn(samples: Samples): number | null {
  return (
    sumOf(samples, "nodejs_heap_size_used_bytes") ??
    sumOf(samples, "go_memstats_heap_inuse_bytes") ??
    sumOf(samples, "jvm_memory_used_bytes", { area: "heap" }) ??
    null
  );
}

function samplesOn(text: string): Samples {
  try {
    return parseMetricsText(text);
  } catch {
    return new Map(); // not a Prometheus page
  }
}
