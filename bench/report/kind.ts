// Defines a kind of document that `report` shows, and makes one report of several documents.

import type { Look } from "../../src/lib/terminal.ts";
import { parseVersioned, StoreError, type Version } from "../result/store.ts";
import { renderPage } from "./frame/frame.ts";
import type { Page } from "./frame/page.ts";

export const formats = ["text", "markdown", "csv", "hgrm", "hlog", "html"] as const;
export type Format = (typeof formats)[number];

/** Separates two reports as text. */
const rule = `\n${"-".repeat(80)}\n\n`;

/** The text of a file, and its name for errors. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/** The requested form of a report. */
export interface Form {
  readonly format: Format;
  /** For hgrm and hlog: service time instead of latency. */
  readonly service: boolean;
  /** The look of text reports. */
  readonly look: Look;
}

/** A kind of document: its versions, and its reports. */
export interface Reporting<T> {
  /** Its plural, for example `Comparisons`. */
  readonly plural: string;
  /** All versions, the newest last. */
  readonly versions: readonly Version<T>[];
  readonly text: (document: T, look: Look) => string;
  readonly markdown: (documents: readonly T[]) => string;
  readonly csv: (documents: readonly T[]) => string;
  readonly page: (documents: readonly T[]) => Page;
  /** Missing for kinds without a single distribution. */
  readonly hgrm?: (document: T, which: "latency" | "service") => string;
  readonly hlog?: (document: T, which: "latency" | "service") => string;
}

/** A kind in the registry, independent of the type of its documents. */
export interface Kind {
  readonly plural: string;
  /** The values of the field `kind` in its documents, in all versions. */
  readonly names: readonly string[];
  /** Makes one report of all sources. @throws StoreError with their problems */
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
