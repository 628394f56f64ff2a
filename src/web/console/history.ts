// Keeps sent and saved messages, newest first. Pure.
import type { ComposerMode } from "../websocket/payload.ts";

export interface Draft {
  readonly mode: ComposerMode;
  readonly typed: string;
  /** Saved drafts are kept until removed, and listed first. */
  readonly saved?: boolean;
}

export interface History {
  /** Adds a draft at the top, or moves it there. */
  remember(draft: Draft): void;
  /** Saved ones first, each group newest first. */
  drafts(): readonly Draft[];
  /** Marks a draft as saved or not saved. */
  toggleSaved(draft: Draft): void;
  /** Steps to an older (1) or newer (-1) draft; undefined at the end. `remember` starts over. */
  step(direction: 1 | -1): Draft | undefined;
}

/**
 * @param capacity maximum of unsaved drafts, and of saved drafts
 * @param initial drafts of an earlier visit
 */
export function createHistory(capacity: number, initial: readonly Draft[] = []): History {
  let drafts: Draft[] = [...initial];
  let position = -1;

  function put(draft: Draft): void {
    const others = drafts.filter((old) => !isSame(old, draft));
    const saved = (draft.saved ? [draft, ...others] : others).filter((old) => old.saved);
    const sent = (draft.saved ? others : [draft, ...others]).filter((old) => !old.saved);
    drafts = [...saved.slice(0, capacity), ...sent.slice(0, capacity)];
    position = -1;
  }

  return {
    remember(draft) {
      const known = drafts.find((old) => isSame(old, draft));
      put(known?.saved ? known : draft);
    },
    drafts: () => drafts,
    toggleSaved(draft) {
      const { mode, typed } = draft;
      put(draft.saved ? { mode, typed } : { mode, typed, saved: true });
    },
    step(direction) {
      const next = drafts[position + direction];
      if (next !== undefined) {
        position += direction;
      }
      return next;
    },
  };
}

/** Parses stored drafts of an earlier visit, and skips anything else. */
export function readDrafts(stored: unknown): Draft[] {
  if (!Array.isArray(stored)) {
    return [];
  }
  return stored.flatMap((item: unknown): Draft[] => {
    if (typeof item !== "object" || item === null || !("mode" in item) || !("typed" in item)) {
      return [];
    }
    const { mode, typed } = item;
    const saved = "saved" in item && item.saved === true;
    const isKnown = (mode === "text" || mode === "json" || mode === "binary") && typeof typed === "string";
    return isKnown ? [{ mode, typed, ...(saved && { saved }) }] : [];
  });
}

function isSame(left: Draft, right: Draft): boolean {
  return left.mode === right.mode && left.typed === right.typed;
}
