// Finds every address of a host, such as a headless Service, and adds up the pages of the servers there.

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Route } from "../engine/route.ts";
import { PageReader } from "./page.ts";
import type { ServerSample } from "./sampler.ts";

/** Resolves a host name to all of its addresses. */
export type LookupAll = (host: string) => Promise<readonly { readonly address: string }[]>;

/** Where a page is read. */
interface Place {
  /** The address; empty for the host as it is. */
  readonly name: string;
  readonly addresses: Route["addresses"];
}

/** A page as it was read, or why it could not be. */
export interface Scraped {
  readonly name: string;
  readonly page?: string;
  readonly problem?: string;
}

const resolveAll: LookupAll = (host) => lookup(host, { all: true });

/** The servers behind a host name, which may change. */
export class Replicas {
  readonly #host: string;
  readonly #route: Route & { readonly lookupAll?: LookupAll | undefined };
  /** By address; by "" while the host has only one. */
  readonly #readers = new Map<string, PageReader>();
  readonly #last = new Map<string, ServerSample>();
  #places: readonly Place[];
  #onlyAddress: string | undefined;
  #firstSeenSeconds: number | undefined;

  constructor(host: string, route: Route & { readonly lookupAll?: LookupAll | undefined }) {
    this.#host = host;
    this.#route = route;
    this.#places = [{ name: "", addresses: route.addresses }];
  }

  /** Where to read now. Without an answer of the resolver, the same as before. */
  async find(): Promise<readonly Place[]> {
    const { addresses: own = {}, lookupAll = resolveAll } = this.#route;
    if (isIP(this.#host) !== 0 || own[this.#host] !== undefined) {
      return this.#places;
    }
    const found = await lookupAll(this.#host).catch(() => []);
    const known = familyOf(found.map(({ address }) => address));
    const isSpread = this.#places.some(({ name }) => name !== "");
    if (known.length > 1 || (known.length === 1 && isSpread)) {
      this.#spread();
      this.#places = known.map((name) => ({ name, addresses: { ...own, [this.#host]: name } }));
    } else {
      this.#onlyAddress = known[0] ?? this.#onlyAddress;
    }
    return this.#places;
  }

  /** Adds pages up; undefined if there is none. Counters of a server that is gone keep what they had. */
  read(scraped: readonly Scraped[], takenNs: number): ServerSample | undefined {
    const now = scraped.flatMap(({ name, page }) => {
      const sample = page === undefined ? undefined : this.#readerOf(name).read(page, takenNs);
      return sample === undefined ? [] : [[name, sample] as const];
    });
    if (now.length === 0) {
      return undefined;
    }
    this.#firstSeenSeconds ??= Date.now() / 1000;
    for (const [name, sample] of now) {
      this.#last.set(name, sample);
    }
    const [only] = this.#last.size === 1 ? this.#last.values() : [];
    const answered = new Set(now.map(([name]) => name));
    const silent = scraped.flatMap(({ name }) => (answered.has(name) || name === "" ? [] : [name]));
    const sum = only ?? addUp(this.#last, answered, takenNs);
    return silent.length === 0 ? sum : { ...sum, silent };
  }

  /** What was read while the host had one address is that address's. */
  #spread(): void {
    const [reader, sample, address] = [this.#readers.get(""), this.#last.get(""), this.#onlyAddress];
    if (reader !== undefined && address !== undefined) {
      this.#readers.set(address, reader);
    }
    if (sample !== undefined && address !== undefined) {
      this.#last.set(address, sample);
    }
    this.#readers.delete("");
    this.#last.delete("");
  }

  #readerOf(name: string): PageReader {
    const reader = this.#readers.get(name) ?? new PageReader(this.#firstSeenSeconds);
    this.#readers.set(name, reader);
    return reader;
  }
}

/** The addresses of one family: a server with both has one of each, and must not count twice. */
function familyOf(addresses: readonly string[]): string[] {
  const of = (family: number): string[] => [
    ...new Set(addresses.filter((address) => isIP(address) === family)),
  ];
  const [v4, v6] = [of(4), of(6)];
  return v4.length >= v6.length ? v4 : v6;
}

/** Counters of all servers, and gauges of those that answered. */
function addUp(
  samples: ReadonlyMap<string, ServerSample>,
  answered: ReadonlySet<string>,
  takenNs: number,
): ServerSample {
  const all = [...samples.values()];
  const now = [...samples].flatMap(([name, sample]) => (answered.has(name) ? [sample] : []));
  const threads = [...samples].map(([name, { threadCpuSeconds }]) => ({ name, threadCpuSeconds }));
  return {
    takenNs,
    cpuSeconds: all.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    threadCpuSeconds: threads.some(({ threadCpuSeconds }) => threadCpuSeconds === null)
      ? null
      : new Map(
          threads.flatMap(({ name, threadCpuSeconds }) =>
            [...(threadCpuSeconds ?? [])].map(([thread, cpu]) => [`${name} ${thread}`, cpu] as const),
          ),
        ),
    waitedSeconds: null,
    rssBytes: sumKnown(now, ({ rssBytes }) => rssBytes),
    bufferedBytes: sumKnown(now, ({ bufferedBytes }) => bufferedBytes),
    droppedMessages: sumKnown(all, ({ droppedMessages }) => droppedMessages),
    receivedMessages: sumKnown(all, ({ receivedMessages }) => receivedMessages),
    workers: now.reduce((sum, { workers }) => sum + workers, 0),
    replicas: Math.max(...all.map(({ replicas }) => replicas)),
    memory: {
      pssBytes: null,
      anonymousBytes: null,
      heapBytes: sumKnown(now, ({ memory }) => memory?.heapBytes ?? null),
      descriptors: sumKnown(now, ({ memory }) => memory?.descriptors ?? null),
      kernel: null,
    },
  };
}

/** Null if some server does not tell it. */
function sumKnown(
  samples: readonly ServerSample[],
  value: (sample: ServerSample) => number | null,
): number | null {
  return samples.reduce<number | null>((sum, sample) => {
    const known = value(sample);
    return sum === null || known === null ? null : sum + known;
  }, 0);
}
