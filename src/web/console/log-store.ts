// Stores the log's entries, with limits on entries and payload bytes. Pure.
import type { Entry, NewEntry } from "./log-entries.ts";

export interface LogBounds {
  readonly entries: number;
  /** Bytes of payload kept over all entries; beyond that, the oldest payloads are dropped. */
  readonly payloadBytes: number;
}

/** The limits of each connection's log. */
export const logBounds: LogBounds = { entries: 1000, payloadBytes: 64 * 1024 * 1024 };

export interface LogStore {
  /** Adds an entry and gives it its id. */
  add(entry: NewEntry): Entry;
  /** Oldest first. */
  entries(): readonly Entry[];
  /** The previous entry; undefined for the first. */
  before(entry: Entry): Entry | undefined;
  /** Number of entries added since the last clear. */
  total(): number;
  clear(): void;
}

export function createLogStore(bounds: LogBounds): LogStore {
  let entries: Entry[] = [];
  let total = 0;
  let nextId = 0;
  let keptBytes = 0;

  function letGo(entry: Entry): void {
    if (entry.data === undefined) {
      return;
    }
    keptBytes -= entry.bytes ?? 0;
    entry.data = undefined;
  }

  return {
    add(init) {
      const entry: Entry = { ...init, id: nextId };
      nextId += 1;
      total += 1;
      entries.push(entry);
      if (entry.data !== undefined) {
        keptBytes += entry.bytes ?? 0;
      }
      while (entries.length > bounds.entries) {
        const oldest = entries.shift();
        if (oldest !== undefined) {
          letGo(oldest);
        }
      }
      for (const old of entries) {
        if (keptBytes <= bounds.payloadBytes || old === entry) {
          break;
        }
        letGo(old);
      }
      return entry;
    },
    entries: () => entries,
    // Ids are consecutive, so the index of an entry follows from its id.
    before: (entry) => entries[entry.id - (entries[0]?.id ?? 0) - 1],
    total: () => total,
    clear() {
      entries = [];
      total = 0;
      keptBytes = 0;
    },
  };
}
