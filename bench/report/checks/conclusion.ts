// Defines a command's conclusion for CI systems: checks that pass or fail, and a report in Markdown.

/** A condition that must hold. */
export interface Check {
  readonly name: string;
  /** Why it does not hold; null if it does. */
  readonly problem: string | null;
}

export interface Conclusion {
  /** The name of the command. */
  readonly command: string;
  readonly title: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly checks: readonly Check[];
  /** Figures by name. */
  readonly figures: Readonly<Record<string, string>>;
  readonly markdown: string;
}

/** Makes the conclusion of a command without a result. */
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
