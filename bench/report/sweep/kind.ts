// Defines the reports of Sweeps.

import { sweepVersions } from "../../result/store.ts";
import { kindOf } from "../kind.ts";
import { formatSweepsCsv } from "./csv.ts";
import { formatSweepsMarkdown } from "./markdown.ts";
import { pageOfSweeps } from "./page.ts";
import { formatSweep } from "./text.ts";

export const sweepReports = kindOf({
  plural: "Sweeps",
  versions: sweepVersions,
  text: formatSweep,
  markdown: formatSweepsMarkdown,
  csv: formatSweepsCsv,
  page: pageOfSweeps,
});
