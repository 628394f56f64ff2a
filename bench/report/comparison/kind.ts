// Defines the reports of Comparisons.

import { comparisonVersions } from "../../result/store.ts";
import { kindOf } from "../kind.ts";
import { formatComparisonsCsv } from "./csv.ts";
import { formatComparisonsMarkdown } from "./markdown.ts";
import { pageOfComparisons } from "./page.ts";
import { formatComparison } from "./text.ts";

export const comparisonReports = kindOf({
  plural: "Comparisons",
  versions: comparisonVersions,
  text: formatComparison,
  markdown: formatComparisonsMarkdown,
  csv: formatComparisonsCsv,
  page: pageOfComparisons,
});
