// The log's messages, with level and meaning. docs/reference/log.md lists them, and `Log` accepts only these.

interface Row {
  readonly level: "debug" | "info" | "warn" | "error" | "fatal";
  readonly meaning: string;
}

/** Every message; words in angle brackets vary. */
export const logMessages = {
  "serving <url>": { level: "info", meaning: "one for each URL, once it is ready" },
  stopping: { level: "info", meaning: "a first signal has arrived" },
  draining: { level: "info", meaning: "the server has stopped listening" },
  stopped: { level: "info", meaning: "the last connection has ended" },
  "worker ready": { level: "info", meaning: "a worker serves" },
  "worker stopped": { level: "info", meaning: "a worker has ended, as ordered" },
  "worker responds again": { level: "info", meaning: "follows `worker does not respond`" },
  "signal ignored": { level: "info", meaning: "SIGHUP without TLS, SIGUSR1 or SIGUSR2" },
  "listening resumed": { level: "info", meaning: "descriptors are free again" },
  "TLS files reloaded": { level: "info", meaning: "the files have changed, or SIGHUP was received" },
  "client closed for exceeding a limit": {
    level: "warn",
    meaning:
      "with reason, address and buffered bytes; at most one line in 5 s for each reason, `suppressed` counts the others",
  },
  "file descriptors are running out: listening paused": {
    level: "warn",
    meaning: "raise `ulimit -n`, or lower `--max-connections`",
  },
  "second signal: stopping at once": { level: "warn", meaning: "open connections are dropped" },
  "drain timeout reached: dropping the remaining connections": {
    level: "warn",
    meaning: "connections that `--drain-timeout` cut off",
  },
  "worker does not respond": { level: "warn", meaning: "for 2 s" },
  "worker does not respond: killing it": {
    level: "error",
    meaning: "it was silent for `--worker-timeout`",
  },
  "worker does not start: killing it": {
    level: "error",
    meaning: "it was silent for three times `--worker-timeout`",
  },
  "worker died": { level: "error", meaning: "with code or signal, or the error; it is replaced" },
  "worker failed to start": { level: "error", meaning: "with the problem" },
  "scrape failed": { level: "error", meaning: "with the error" },
  "TLS files are invalid: keeping the old ones": {
    level: "error",
    meaning: "with the problems: see [TLS](../tls.md)",
  },
  "the server failed": { level: "fatal", meaning: "with the error; exit code 1 follows" },
  "connection opened": { level: "debug", meaning: "with address" },
  "connection closed": { level: "debug", meaning: "with address, close code and age" },
  "handshake refused": { level: "debug", meaning: "with the [reason](refusals.md) and status" },
  "TLS handshake failed": { level: "debug", meaning: "with reason and error code" },
  "HTTP/2 session failed": { level: "debug", meaning: "with address and error" },
} as const satisfies Record<string, Row>;

type Messages = typeof logMessages;

/** The messages of a level. */
export type LogMessage<Level extends Row["level"]> = {
  [Message in keyof Messages]: Messages[Message]["level"] extends Level ? Message : never;
}[keyof Messages];
