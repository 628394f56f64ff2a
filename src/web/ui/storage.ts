// Stores settings in this browser, if localStorage is available.

const prefix = "uws-echo:";

/** The stored value; undefined if there is none or it cannot be read. */
export function recall(key: string): unknown {
  try {
    const text = localStorage.getItem(prefix + key);
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined; // Storage is blocked, or the value was written by another version.
  }
}

/** Stores a value; undefined removes it. */
export function remember(key: string, value: unknown): void {
  try {
    if (value === undefined) {
      localStorage.removeItem(prefix + key);
    } else {
      localStorage.setItem(prefix + key, JSON.stringify(value));
    }
  } catch {
    return; // Storage is blocked or full: the page works without.
  }
}

/** The stored text; the fallback when there is none. */
export function recallText(key: string, fallback: string): string {
  const value = recall(key);
  return typeof value === "string" ? value : fallback;
}
