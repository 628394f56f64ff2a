// Suggests the closest name for a mistyped one.
import { closestMatch } from "leven";

/** The candidate closest to a word: at most a third of its characters may differ. Short words have none. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  if (word.replaceAll("-", "").length < 3) {
    return undefined;
  }
  return closestMatch(word, candidates, { maxDistance: Math.max(1, Math.floor(word.length / 3)) });
}

/** ` Did you mean --port?`, or nothing where no candidate is close. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const found = closest(word, candidates);
  return found === undefined ? "" : ` Did you mean ${found}?`;
}
