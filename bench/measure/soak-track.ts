// Collects the samples of a soak in bounded memory: merges neighbours when there are too many points.

import { maxKnown, meanKnown } from "../result/aggregate.ts";
import type { SoakPoint } from "../result/soak.ts";
import { median } from "../result/stats.ts";
import type { Sampler, ServerSample } from "../target/sampler.ts";
import type { SessionProgress } from "./session.ts";

const mostPoints = 4000;

export class SoakTrack {
  readonly #nowMs: () => number;
  #startedMs: number | undefined;
  #points: SoakPoint[] = [];
  #before: ServerSample | undefined;
  #p99s: number[] = [];
  #rates: number[] = [];
  #open = 0;

  /** @param nowMs milliseconds of a monotonic clock */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Starts the judged time. */
  start(): void {
    this.#startedMs = this.#nowMs();
    this.#p99s = [];
    this.#rates = [];
  }

  get points(): readonly SoakPoint[] {
    return this.#points;
  }

  /** Passes samples on, at most as often as `periodMs`, and keeps them. */
  watch(sampler: Sampler, periodMs: number): Sampler {
    return {
      ...sampler,
      periodMs: Math.max(sampler.periodMs, periodMs),
      sample: async (nowNs, isEdge) => {
        const sample = await sampler.sample(nowNs, isEdge);
        if (sample !== undefined) {
          this.#add(sample);
        }
        return sample;
      },
    };
  }

  onProgress({ phase, p99Us, messagesPerSecond, openConnections }: SessionProgress): void {
    this.#open = openConnections;
    if (phase !== "step") {
      return;
    }
    if (p99Us !== null) {
      this.#p99s.push(p99Us);
    }
    if (messagesPerSecond !== null) {
      this.#rates.push(messagesPerSecond);
    }
  }

  #add(sample: ServerSample): void {
    const before = this.#before;
    this.#before = sample;
    if (this.#startedMs === undefined) {
      return;
    }
    const { memory, rssBytes } = sample;
    this.#points.push({
      seconds: (this.#nowMs() - this.#startedMs) / 1000,
      memoryBytes: memory?.anonymousBytes ?? rssBytes,
      heapBytes: memory?.heapBytes ?? null,
      descriptors: memory?.descriptors ?? null,
      cpuPercent: before === undefined ? null : cpuPercent(before, sample),
      p99Us: this.#p99s.length === 0 ? null : median(this.#p99s),
      messagesPerSecond: meanKnown(this.#rates),
      open: this.#open,
    });
    this.#p99s = [];
    this.#rates = [];
    if (this.#points.length > mostPoints) {
      this.#points = folded(this.#points);
    }
  }
}

function cpuPercent(from: ServerSample, until: ServerSample): number | null {
  const ns = until.takenNs - from.takenNs;
  return ns <= 0 || until.replicas > 1 ? null : (1e11 * Math.max(0, until.cpuSeconds - from.cpuSeconds)) / ns;
}

/** Halves the number of points. Figures that may leak keep the lower value, which is the one judged. */
function folded(points: readonly SoakPoint[]): SoakPoint[] {
  return Array.from({ length: Math.floor(points.length / 2) }, (_, i) => {
    const pair = points.slice(2 * i, 2 * i + 2);
    const lowest = (read: (point: SoakPoint) => number | null): number | null => {
      const highest = maxKnown(pair.map((point) => negated(read(point))));
      return negated(highest);
    };
    const mean = (read: (point: SoakPoint) => number | null): number | null => meanKnown(pair.map(read));
    return {
      seconds: mean(({ seconds }) => seconds) ?? 0,
      memoryBytes: lowest(({ memoryBytes }) => memoryBytes),
      heapBytes: lowest(({ heapBytes }) => heapBytes),
      descriptors: lowest(({ descriptors }) => descriptors),
      cpuPercent: mean(({ cpuPercent: percent }) => percent),
      p99Us: mean(({ p99Us }) => p99Us),
      messagesPerSecond: mean(({ messagesPerSecond }) => messagesPerSecond),
      open: mean(({ open }) => open) ?? 0,
    };
  });
}

function negated(value: number | null): number | null {
  return value === null ? null : -value;
}
