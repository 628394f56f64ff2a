// Formats rows of CSV reports (RFC 4180).

/** Formats a row of cells, with its line end. */
export function formatRow(cells: readonly string[]): string {
  return `${cells.map(quote).join(",")}\r\n`;
}

function quote(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
