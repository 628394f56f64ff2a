// Lists the kinds of documents that `report` reads, and reports files of one kind.

import { kindNameOf, StoreError } from "../result/store.ts";
import { checkReports } from "./check/kind.ts";
import { comparisonReports } from "./comparison/kind.ts";
import type { Form, Kind, Source } from "./kind.ts";
import { runReports } from "./run/kind.ts";
import { searchReports } from "./search/kind.ts";
import { drainReports } from "./session/drain.ts";
import { idleReports } from "./session/idle.ts";
import { sessionFileReports } from "./session/session.ts";
import { slowReports } from "./session/slow.ts";
import { soakReports } from "./session/soak.ts";
import { stormReports } from "./session/storm.ts";
import { sweepReports } from "./sweep/kind.ts";

export const kinds: readonly Kind[] = [
  runReports,
  comparisonReports,
  searchReports,
  sweepReports,
  idleReports,
  drainReports,
  slowReports,
  sessionFileReports,
  soakReports,
  checkReports,
  stormReports,
];

/** Makes one report of all files. @throws StoreError if a file cannot be reported, or if their kinds differ */
export function reportSources(sources: readonly Source[], form: Form): string {
  const found = new Set(sources.map(kindOfSource));
  const [kind, ...others] = found;
  if (kind === undefined || others.length > 0) {
    const plurals = [...found].map(({ plural }) => plural).join(" and ");
    throw new StoreError(`${plurals} do not go into one report: give one kind at a time`);
  }
  return kind.report(sources, form);
}

function kindOfSource({ name, text }: Source): Kind {
  const said = kindNameOf(name, text);
  const found = kinds.find(({ names }) => names.some((known) => known === said));
  if (found === undefined) {
    const known = kinds.flatMap(({ names }) => names).join(", ");
    throw new StoreError(
      said === undefined
        ? `${name} names no kind, so another tool wrote it: report reads ${known}`
        : `${name} is of kind "${said}": report reads ${known}`,
    );
  }
  return found;
}
