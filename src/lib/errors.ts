// The base of every error that either program raises on purpose.

/**
 * An error whose message is meant for people: the command line prints it without a stack trace.
 * `code` tells programs what happened, `problems` has one sentence for each thing that is wrong, and `cause`, where
 * there is one, is the error underneath.
 */
export abstract class UwsEchoError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly problems: readonly string[];

  constructor(code: Code, problems: string | readonly string[], options?: ErrorOptions) {
    const list = typeof problems === "string" ? [problems] : problems;
    super(list.join("\n"), options);
    this.code = code;
    this.problems = list;
  }
}
