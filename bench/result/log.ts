// Finds Results in a text: a Result file, or a log with a Result per line (`run --json`) among other lines.

import type { Result } from "./schema.ts";
import { parseVersioned, resultVersions, StoreError, type Version } from "./store.ts";

/** The start of a Result on one line; a log may prefix it with a time or a pod's name. */
const opening = '{"kind":"uws-echo-bench/';

/** The valid Results, and the problems of the others. */
export interface Found<T = Result> {
  readonly results: readonly T[];
  /** One sentence for each invalid or repeated Result. */
  readonly problems: readonly string[];
}

/**
 * Finds the Results in all texts. Skips lines without one, of which a log has many.
 * @param texts each with its name for errors
 */
export function findResults(texts: readonly Named[]): Found {
  return findDocuments(texts, resultVersions, ({ id }) => id);
}

/** Whether the first document of the texts is of this kind. */
export function startsWithKind(texts: readonly Named[], kind: string): boolean {
  const [first = { text: "" }] = texts.flatMap(piecesOf);
  return first.text.slice(0, 200).replace(/\s/g, "").startsWith(`{"kind":"${kind}"`);
}

/** Finds documents of a kind, as `findResults` does. */
export function findDocuments<T>(
  texts: readonly Named[],
  versions: readonly Version<T>[],
  idOf: (document: T) => string,
): Found<T> {
  const placeOf = new Map<string, string>();
  const results: T[] = [];
  const problems: string[] = [];
  for (const { place, text } of texts.flatMap(piecesOf)) {
    try {
      if (!text.trimStart().startsWith("{") && text.trimEnd().includes("\n")) {
        throw new StoreError(`${place} holds no Result: no line is a Result as run --json prints it`);
      }
      const result = parseVersioned(place, text, versions);
      const before = placeOf.get(idOf(result));
      if (before === undefined) {
        placeOf.set(idOf(result), place);
        results.push(result);
      } else {
        problems.push(`${place} is the same Result as ${before}: it would count twice`);
      }
    } catch (error) {
      if (!(error instanceof StoreError)) {
        throw error;
      }
      problems.push(error.message);
    }
  }
  return { results, problems };
}

interface Named {
  readonly name: string;
  readonly text: string;
}

interface Piece {
  readonly place: string;
  readonly text: string;
}

/** The candidates for Results: lines that start like one, blocks of lines, or else the whole text. */
function piecesOf({ name, text }: Named): Piece[] {
  const lines = text.split("\n");
  const pieces = lines.flatMap((line, index) => {
    const start = line.indexOf(opening);
    return start === -1 ? [] : [{ place: `line ${index + 1} of ${name}`, text: line.slice(start) }];
  });
  const all = [...pieces, ...blocksOf(name, lines)];
  return all.length > 0 ? all : [{ place: name, text }];
}

/** Results over several lines, from a brace to its closing brace, as in a Result file or from jq. */
function blocksOf(name: string, lines: readonly string[]): Piece[] {
  return lines.flatMap((line, index) => {
    if (line.trimEnd() !== "{" || !/^ *"kind": *"uws-echo-bench\//.test(lines[index + 1] ?? "")) {
      return [];
    }
    const length = lines.slice(index).findIndex((other) => other.trimEnd() === "}");
    const block = lines.slice(index, length === -1 ? undefined : index + length + 1);
    const isWhole = block.join("\n").trim() === lines.join("\n").trim();
    return [{ place: isWhole ? name : `line ${index + 1} of ${name}`, text: block.join("\n") }];
  });
}
