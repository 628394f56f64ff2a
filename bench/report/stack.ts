// Makes one page of several documents, one below the other.

import type { Page, Section, Subject } from "./frame/page.ts";

/** @param plural of the documents, for the title of several */
export function stackedPage<D extends { readonly label: string | null; readonly target: string }>(
  documents: readonly D[],
  plural: string,
  subjectOf: (document: D, title: string) => Subject,
  sectionsOf: (document: D) => readonly Section[],
): Page {
  const titles = documents.map(({ label, target }) => label ?? target);
  return {
    title: titles.length === 1 ? (titles[0] ?? "") : `${titles.length} ${plural}`,
    subjects: documents.map((document, index) => subjectOf(document, titles[index] ?? "")),
    sections: documents.flatMap((document, index) => {
      const prefix = documents.length === 1 ? "" : `${titles[index]}: `;
      return sectionsOf(document).map((section) => ({ ...section, title: `${prefix}${section.title}` }));
    }),
  };
}
