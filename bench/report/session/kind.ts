// Makes the reports of a kind of session from its specific parts: sentences, figures, blocks of text, plots.

import type { z } from "zod";
import type { Look } from "../../../src/lib/terminal.ts";
import type { documentShape } from "../../result/session-document.ts";
import { formatActual } from "../../result/threshold.ts";
import {
  describeCommand,
  describeEnvironment,
  distinctTitles,
  shownThresholds,
  titleOf,
} from "../describe.ts";
import { commandWidth, type Page, type Section, type Subject } from "../frame/page.ts";
import { type Kind, kindOf } from "../kind.ts";
import { formatList, formatTable } from "../markdown-table.ts";
import { formatDocumentsCsv } from "../run/csv.ts";
import { frameText } from "./text.ts";

/** The fields of every session document. */
export type SessionDocument = z.infer<z.ZodObject<typeof documentShape>> & { readonly kind: string };

export interface SessionReporting<D extends SessionDocument> {
  /** Its plural, for example `SoakReports`. */
  readonly plural: string;
  readonly kind: string;
  readonly version: number;
  readonly schema: z.ZodType<D>;
  /** The setup, in one line. */
  readonly describe: (document: D) => string;
  /** The finding, in one line. */
  readonly finding: (document: D) => string;
  /** Headline figures, for tables and tiles. */
  readonly figures: readonly (readonly [heading: string, value: (document: D) => string])[];
  /** The text between the title and the warnings, in blocks of lines. */
  readonly blocks: (document: D, look: Look) => string[][];
  readonly sections: (documents: readonly D[], titles: readonly string[]) => readonly Section[];
  /** Lists of records, which CSV leaves out. */
  readonly lists: readonly string[];
}

/** One document as text for a terminal. */
export function formatSession<D extends SessionDocument>(
  { describe, blocks }: SessionReporting<D>,
  document: D,
  look: Look,
): string {
  return frameText(`${titleOf(document)} · ${describe(document)}`, document, blocks(document, look), look);
}

/** The kind's entry in the registry of `report`. */
export function sessionReports<D extends SessionDocument>(reporting: SessionReporting<D>): Kind {
  const { plural, kind, version, schema, lists } = reporting;
  return kindOf<D>({
    plural,
    versions: [{ kind, version, schema }],
    text: (document, look) => formatSession(reporting, document, look),
    markdown: (documents) => formatMarkdown(reporting, documents),
    csv: (documents) => formatDocumentsCsv(documents, ["closes", ...lists]),
    page: (documents) => pageOf(reporting, documents),
  });
}

function formatMarkdown<D extends SessionDocument>(
  { describe, finding, figures }: SessionReporting<D>,
  documents: readonly D[],
): string {
  const titles = distinctTitles(documents);
  const listed = (read: (document: D) => readonly string[]): string =>
    formatList(documents.flatMap((document, i) => read(document).map((text) => `${titles[i]}: ${text}`)));
  const headings = ["Target", "Session", ...figures.map(([heading]) => heading), "Acceptable"];
  const rows = documents.map((document, i) => [
    titles[i] ?? "",
    describe(document),
    ...figures.map(([, value]) => value(document)),
    document.failures.length === 0 ? "yes" : "**no**",
  ]);
  const environments = new Set(documents.map(({ environment }) => describeEnvironment(environment)));
  const blocks: readonly (readonly [heading: string, text: string])[] = [
    ["**Not acceptable**\n\n", listed(({ failures }) => failures)],
    ["", formatTable(headings, rows)],
    ["", listed((document) => [finding(document)])],
    [
      "**Thresholds**\n\n",
      listed(({ thresholds }) =>
        thresholds.map(
          (each) =>
            `${each.expression} ${each.passed ? "met" : "**not met**"} (it was ${formatActual(each)})`,
        ),
      ),
    ],
    ["**Warnings**\n\n", listed(({ warnings }) => warnings)],
    ["", formatList([...environments])],
  ];
  return `${blocks
    .filter(([, text]) => text !== "")
    .map((block) => block.join(""))
    .join("\n\n")}\n`;
}

function pageOf<D extends SessionDocument>(reporting: SessionReporting<D>, documents: readonly D[]): Page {
  const titles = distinctTitles(documents);
  return {
    title: titles.length === 1 ? (titles[0] ?? "") : `${titles.length} ${reporting.plural}`,
    subjects: documents.map((document, i) => subjectOf(reporting, document, titles[i] ?? "")),
    sections: reporting.sections(documents, titles),
  };
}

function subjectOf<D extends SessionDocument>(
  { describe, finding, figures }: SessionReporting<D>,
  document: D,
  title: string,
): Subject {
  const { failures, warnings, thresholds, command, startedAt, environment, seed } = document;
  const isGood = failures.length === 0;
  return {
    title,
    badge: {
      text: isGood ? "acceptable" : "not acceptable",
      tone: isGood ? "good" : "bad",
      meaning: isGood ? "nothing failed" : failures.join("; "),
    },
    summary: [finding(document), describe(document)],
    tiles: figures.map(([label, value]) => ({ label, value: value(document) })),
    failures,
    warnings,
    thresholds: shownThresholds(thresholds),
    command: describeCommand({ command, scenario: { seed } }, commandWidth),
    startedAt,
    environment: describeEnvironment(environment),
    document,
  };
}
