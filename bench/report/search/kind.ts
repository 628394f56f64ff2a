// Defines the reports of Searches.

import { searchVersions } from "../../result/store.ts";
import { kindOf } from "../kind.ts";
import { formatSearchesCsv } from "./csv.ts";
import { formatSearchesMarkdown } from "./markdown.ts";
import { pageOfSearches } from "./page.ts";
import { formatSearch } from "./text.ts";

export const searchReports = kindOf({
  plural: "Searches",
  versions: searchVersions,
  text: formatSearch,
  markdown: formatSearchesMarkdown,
  csv: formatSearchesCsv,
  page: pageOfSearches,
});
