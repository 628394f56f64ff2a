// Aligns text in columns.

/**
 * Pads every cell to the width of its column, with two spaces between and none at the end of a line.
 * @param side where the text of a cell stands; with `figures`, left in the first column and right in the others
 */
export function alignColumns(
  rows: readonly (readonly string[])[],
  side: "left" | "right" | "figures" = "left",
): string[] {
  const pad = (cell: string, width: number, column: number): string =>
    side === "left" || (side === "figures" && column === 0) ? cell.padEnd(width) : cell.padStart(width);
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, column))
      .join("  ")
      .trimEnd(),
  );
}

/** Breaks text at blanks into lines of at most `width` columns; a word that is longer gets a line of its own. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
