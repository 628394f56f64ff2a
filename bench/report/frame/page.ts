// Defines an HTML report as plain data, with the same parts for every kind of document.

import type { Markup } from "./markup.ts";

/** Maximum length of a command's lines, in characters. */
export const commandWidth = 110;

/** A report of one or more documents of a kind. */
export interface Page {
  readonly title: string;
  /** One for each document, in the order of their colours. */
  readonly subjects: readonly Subject[];
  readonly sections: readonly Section[];
}

/** The finding, as one word and one colour. */
export interface Badge {
  readonly text: string;
  readonly tone: Tone;
  /** The same as a sentence. */
  readonly meaning: string;
}

export type Tone = "good" | "bad" | "plain";

/** The head of the report of one document. */
export interface Subject {
  readonly title: string;
  readonly badge: Badge | null;
  /** Sentences, the most important first. */
  readonly summary: readonly string[];
  readonly tiles: readonly Tile[];
  /** Why the document must not be used. */
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
  readonly thresholds: readonly Threshold[];
  /** The command that repeats the measurement, as lines for a shell (`describeCommand`); empty if unknown. */
  readonly command: readonly string[];
  readonly startedAt: string;
  readonly environment: string;
  /** The document to download, as JSON. */
  readonly document: { readonly kind: string };
}

/** A headline figure. */
export interface Tile {
  readonly label: string;
  readonly value: string;
  /** Shown below the value, for example an interval or a share. */
  readonly note?: string;
  /** The difference to the first subject of the page. */
  readonly delta?: Delta;
}

export interface Delta {
  readonly text: string;
  readonly tone: Tone;
}

export interface Threshold {
  readonly expression: string;
  readonly actual: string;
  readonly passed: boolean;
}

/** Parts below one heading. */
export interface Section {
  readonly title: string;
  readonly notes?: readonly string[];
  readonly parts: readonly Part[];
}

export type Part = Table | Plot | Chart;

export interface Table {
  readonly type: "table";
  /** For screen readers. */
  readonly name: string;
  readonly headings: readonly string[];
  readonly rows: readonly Row[];
  /** Columns of text, which are left-aligned and wrap; the first column always is. */
  readonly textColumns?: readonly number[];
}

export interface Row {
  readonly cells: readonly string[];
  /** Marks the row with the colour of this subject. */
  readonly subject?: number;
}

/** A finished SVG drawing. */
export interface Chart {
  readonly type: "chart";
  readonly name: string;
  readonly svg: Markup;
}

/** Lines that the page's script draws, with a cursor that shows their values. */
export interface Plot {
  readonly type: "plot";
  readonly title: string;
  readonly note: string;
  /** Whether it spans the page; other plots are side by side. */
  readonly isWide?: boolean;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  /** Moments, drawn as vertical lines. */
  readonly marks?: readonly Mark[];
}

export interface Axis {
  readonly label: string;
  /** `percentile`: values are 1 / (1 - p), so that 10 is 90 %. */
  readonly unit: "number" | "us" | "bytes" | "percent" | "seconds" | "percentile";
  readonly isLogarithmic?: boolean;
  /** A linear axis begins at 0 and reaches at least this far. */
  readonly atLeast?: number;
}

export interface Line {
  readonly label: string;
  /** The index of the subject whose colour it has. */
  readonly subject: number;
  /** `steps` are filled: for histograms, where x is the lower end of a bucket. */
  readonly style: "solid" | "dashed" | "points" | "steps";
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

export interface Mark {
  readonly at: number;
  readonly label: string;
}
