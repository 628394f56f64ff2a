// Formats tables and lists of Markdown reports.

/** Formats a Markdown table: the first columns left-aligned, figures right-aligned. */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  leftColumns = 2,
): string {
  const rule = headings.map((_, index) => (index < leftColumns ? "---" : "---:"));
  return [headings, rule, ...rows].map((cells) => `| ${cells.map(escapeCell).join(" | ")} |`).join("\n");
}

export function formatList(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}

function escapeCell(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replace(/\s+/g, " ");
}
