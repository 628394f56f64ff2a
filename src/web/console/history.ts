// Messages that were sent, newest first, for sending again. Pure.
import type { ComposerMode } from "../websocket/payload.ts";

export interface Draft {
  readonly mode: ComposerMode;
  readonly typed: string;
}

export interface History {
  /** Puts a draft on top; one that is there already moves up. */
  remember(draft: Draft): void;
  /** Newest first. */
  drafts(): readonly Draft[];
  /** One step to an older (1) or newer (-1) draft; undefined where there is none. Remembering starts over. */
  step(direction: 1 | -1): Draft | undefined;
}

export function createHistory(capacity: number): History {
  let drafts: Draft[] = [];
  let position = -1;
  return {
    remember(draft) {
      const others = drafts.filter((old) => old.mode !== draft.mode || old.typed !== draft.typed);
      drafts = [draft, ...others].slice(0, capacity);
      position = -1;
    },
    drafts: () => drafts,
    step(direction) {
      const next = drafts[position + direction];
      if (next !== undefined) {
        position += direction;
      }
      return next;
    },
  };
}
