// Defines the reports of CheckReports.

import { type CheckReport, checkKind, checkSchema, checkVersion } from "../../result/check.ts";
import type { Version } from "../../result/store.ts";
import { kindOf } from "../kind.ts";
import { formatChecksCsv } from "./csv.ts";
import { formatChecksMarkdown } from "./markdown.ts";
import { pageOfChecks } from "./page.ts";
import { formatCheck } from "./text.ts";

const versions: readonly Version<CheckReport>[] = [
  { kind: checkKind, version: checkVersion, schema: checkSchema },
];

export const checkReports = kindOf({
  plural: "CheckReports",
  versions,
  text: formatCheck,
  markdown: formatChecksMarkdown,
  csv: formatChecksCsv,
  page: pageOfChecks,
});
