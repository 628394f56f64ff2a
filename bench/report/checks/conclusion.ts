// What a command concluded, as CI systems take it: checks that hold or do not, and a report in Markdown.

/** One thing that had to hold. */
export interface Check {
  readonly name: string;
  /** Why it does not hold; null when it does. */
  readonly problem: string | null;
}

export interface Conclusion {
  /** The command that concluded it. */
  readonly command: string;
  readonly title: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly checks: readonly Check[];
  /** Figures by name. */
  readonly figures: Readonly<Record<string, string>>;
  readonly markdown: string;
}

/** Of a command that has nothing to show. */
export function concludeNothing(command: string, title: string, reason: string): Conclusion {
  return {
    command,
    title,
    startedAt: new Date().toISOString(),
    seconds: 0,
    checks: [{ name: "something was measured", problem: reason }],
    figures: {},
    markdown: `**Nothing was measured**: ${reason}\n`,
  };
}
