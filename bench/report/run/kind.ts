// Defines the reports of Results.

import { resultVersions } from "../../result/store.ts";
import { kindOf } from "../kind.ts";
import { formatCsv } from "./csv.ts";
import { formatHgrm } from "./hgrm.ts";
import { formatHlog } from "./hlog.ts";
import { formatMarkdown } from "./markdown.ts";
import { pageOfResults } from "./page.ts";
import { formatText } from "./text.ts";

export const runReports = kindOf({
  plural: "Results",
  versions: resultVersions,
  text: formatText,
  markdown: formatMarkdown,
  csv: formatCsv,
  page: pageOfResults,
  hgrm: formatHgrm,
  hlog: formatHlog,
});
