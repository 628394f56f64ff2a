// Messages that were sent or saved, newest first, for sending again. Pure.
import type { ComposerMode } from "../websocket/payload.ts";

export interface Draft {
  readonly mode: ComposerMode;
  readonly typed: string;
  /** Kept until it is removed, above the messages that were only sent. */
  readonly saved?: boolean;
}

export interface History {
  /** Puts a draft on top; one that is in the history already moves up. */
  remember(draft: Draft): void;
  /** Saved ones first, each group newest first. */
  drafts(): readonly Draft[];
  /** Saves a draft, or makes a saved one an ordinary one again. */
  toggleSaved(draft: Draft): void;
  /** One step to an older (1) or newer (-1) draft; undefined where there is none. Remembering starts over. */
  step(direction: 1 | -1): Draft | undefined;
}

/**
 * @param capacity how many unsaved drafts are kept, and how many saved ones
 * @param initial what an earlier visit left
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

/** Reads what an earlier visit stored; anything else than drafts is left out. */
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
