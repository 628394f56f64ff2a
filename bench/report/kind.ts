// What a kind of document needs so that `report` can show it, and how documents of one kind become a report.

import type { Look } from "../../src/lib/terminal.ts";
import { parseVersioned, StoreError, type Version } from "../result/store.ts";
import { renderPage } from "./frame/frame.ts";
import type { Page } from "./frame/page.ts";

export const formats = ["text", "markdown", "csv", "hgrm", "hlog", "html"] as const;
export type Format = (typeof formats)[number];

/** Between two reports as text. */
const rule = `\n${"-".repeat(80)}\n\n`;

/** A file that was read, and what errors call it. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/** How a report is wanted. */
export interface Form {
  readonly format: Format;
  /** For hgrm and hlog: service time instead of latency. */
  readonly service: boolean;
  /** For text. */
  readonly look: Look;
}

/** A kind of document: its versions, and its reports. */
export interface Reporting<T> {
  /** What people call several of them: `Comparisons`. */
  readonly plural: string;
  /** The newest last. */
  readonly versions: readonly Version<T>[];
  readonly text: (document: T, look: Look) => string;
  readonly markdown: (documents: readonly T[]) => string;
  readonly csv: (documents: readonly T[]) => string;
  readonly page: (documents: readonly T[]) => Page;
  /** Left out by kinds without one distribution. */
  readonly hgrm?: (document: T, which: "latency" | "service") => string;
  readonly hlog?: (document: T, which: "latency" | "service") => string;
}

/** A kind as the registry holds it, whatever its documents are. */
export interface Kind {
  readonly plural: string;
  /** What the field `kind` of its documents says, in any version. */
  readonly names: readonly string[];
  /** One report of all sources. @throws StoreError that says what is wrong with them */
  readonly report: (sources: readonly Source[], form: Form) => string;
}

/** Makes an entry of the registry. */
export function kindOf<T>(reporting: Reporting<T>): Kind {
  const { plural, versions } = reporting;
  return {
    plural,
    names: [...new Set(versions.map(({ kind }) => kind))],
    report: (sources, form) =>
      format(
        reporting,
        sources.map(({ name, text }) => parseVersioned(name, text, versions)),
        form,
      ),
  };
}

function format<T>(reporting: Reporting<T>, documents: readonly T[], form: Form): string {
  const { text, markdown, csv, page, plural } = reporting;
  switch (form.format) {
    case "text":
      return documents.map((document) => text(document, form.look)).join(rule);
    case "markdown":
      return markdown(documents);
    case "csv":
      return csv(documents);
    case "html":
      return renderPage(page(documents));
    case "hgrm":
    case "hlog": {
      const [document, ...others] = documents;
      const distribution = reporting[form.format];
      if (distribution === undefined) {
        throw new StoreError(`.${form.format} holds one distribution, and ${plural} have none`);
      }
      if (document === undefined || others.length > 0) {
        throw new StoreError(
          `.${form.format} holds one distribution: give one file, or merge the files first`,
        );
      }
      return distribution(document, form.service ? "service" : "latency");
    }
  }
}
