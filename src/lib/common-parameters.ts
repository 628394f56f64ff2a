// Parameters that several endpoints on demand have, and the units of their limits.

export const kiB = 1024;
export const miB = 1024 * kiB;
export const giB = 1024 * miB;
export const second = 1000;

export const code = {
  kind: "closeCode",
  help: "close code, 1000 if none is given",
  example: "4001",
  excludes: ["abrupt"],
} as const;
export const reason = {
  kind: "text",
  maxBytes: 123,
  help: "reason in the close frame",
  example: "bye",
  excludes: ["abrupt"],
} as const;
export const abrupt = {
  kind: "flag",
  help: "ends the TCP connection without a close frame",
  example: "abrupt",
} as const;
export const interval = {
  kind: "duration",
  min: 10,
  max: 3600 * second,
  default: second,
  help: "time between two messages",
  example: "500ms",
} as const;
export const count = {
  kind: "count",
  min: 1,
  max: 1_000_000,
  help: "number of messages; then closes with 1000",
  example: "10",
} as const;
