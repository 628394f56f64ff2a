// Fills the templates of the HTML reports, which `npm run build` makes of page/: each needs nothing but itself.

import { readFileSync } from "node:fs";

const folder = new URL(import.meta.url.endsWith(".ts") ? "../../dist/bench/report/" : "./", import.meta.url);

/** The template with each value in place of `{{name}}`. Values are HTML already. */
export function fillTemplate(
  name: "page.html" | "comparison.html",
  values: Readonly<Record<string, string>>,
): string {
  const template = readFileSync(new URL(name, folder), "utf8");
  return template.replace(/\{\{(\w+)\}\}/g, (placeholder, key: string) => values[key] ?? placeholder);
}
