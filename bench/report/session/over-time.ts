// Plots a figure of each second, with one line for each report.

import type { Axis, Mark, Plot } from "../frame/page.ts";

export interface Series<S> {
  readonly title: string;
  readonly note: string;
  readonly y: Axis;
  readonly marks: readonly Mark[];
  readonly read: (second: S) => number | null;
}

export function overTime<S extends { readonly endSeconds: number }>(
  reports: readonly { readonly seconds: readonly S[] }[],
  titles: readonly string[],
  { read, ...series }: Series<S>,
): Plot {
  return {
    type: "plot",
    ...series,
    x: { label: "time", unit: "seconds" },
    lines: reports.map(({ seconds }, subject) => ({
      label: titles[subject] ?? "",
      subject,
      style: "solid",
      x: seconds.map(({ endSeconds }) => endSeconds),
      y: seconds.map(read),
    })),
  };
}
