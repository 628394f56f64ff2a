// The errors of both programs that are reported without a stack trace.

/** Error codes for programs. These stay; new ones may be added. */
export type ErrorCode =
  /** Invalid options; `problems` has a sentence for each. */
  | "ERR_CONFIG"
  /** A text that is not a valid size, duration, number or rate. */
  | "ERR_UNIT"
  | "ERR_ADDRESS_IN_USE"
  | "ERR_PORT_PRIVILEGED"
  | "ERR_ADDRESS_NOT_AVAILABLE"
  | "ERR_HOST_UNKNOWN"
  /** Listening failed for another reason; the message has the system's code. */
  | "ERR_LISTEN"
  /** No native binary of uWebSockets.js loads here; the message says why. */
  | "ERR_NATIVE_LOAD"
  /** A worker process could not start, or died repeatedly. */
  | "ERR_WORKERS_FAILED"
  /** The harness: wrong usage of a command. */
  | "ERR_USAGE"
  /** The harness: a target that cannot be used. */
  | "ERR_TARGET"
  /** The harness: a file that cannot be read or must not be written. */
  | "ERR_STORE"
  /** The harness: a command that started, but has no result. */
  | "ERR_NOTHING"
  /** The harness: its own metrics cannot be served. */
  | "ERR_METRICS_PAGE"
  /** The harness: a file that was to hold the start time. */
  | "ERR_START"
  /** The harness: Results that are not parts of one run. */
  | "ERR_MERGE"
  /** The harness: stored Results that cannot be compared. */
  | "ERR_MISMATCH";

/**
 * An error whose message is for people: the command line prints it without a stack trace. `code` is for programs,
 * `problems` has one sentence for each problem, and `cause` is the underlying error, if any.
 */
export abstract class UwsEchoError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly problems: readonly string[];

  constructor(code: Code, problems: string | readonly string[], options?: ErrorOptions) {
    const list = typeof problems === "string" ? [problems] : problems;
    super(list.join("\n"), options);
    this.code = code;
    this.problems = list;
  }
}
