// Fills the template of the HTML reports, which `npm run build` makes of bench/report/page: it needs nothing but itself.

import { readFileSync } from "node:fs";

const place = import.meta.url.endsWith(".ts") ? "../../../dist/bench/report/page.html" : "../page.html";

/** The template with each value in place of `{{name}}`. Values are HTML already. */
export function fillTemplate(values: Readonly<Record<string, string>>): string {
  const template = readFileSync(new URL(place, import.meta.url), "utf8");
  return template.replace(/\{\{(\w+)\}\}/g, (placeholder, key: string) => values[key] ?? placeholder);
}
