// Fills the self-contained template of the HTML reports, which `npm run build` makes from bench/report/page.

import { readFileSync } from "node:fs";

const place = import.meta.url.endsWith(".ts") ? "../../../dist/bench/report/page.html" : "../page.html";

/** Replaces each `{{name}}` in the template by its value. Values must be HTML. */
export function fillTemplate(values: Readonly<Record<string, string>>): string {
  const template = readFileSync(new URL(place, import.meta.url), "utf8");
  return template.replace(/\{\{(\w+)\}\}/g, (placeholder, key: string) => values[key] ?? placeholder);
}
