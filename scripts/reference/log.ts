// docs/reference/log.md: the messages of the log, by level.
import { type LogMessage, logMessages } from "../../src/system/log-messages.ts";
import { code, generated, table } from "./markdown.ts";

const introduction = `
The message is in the field \`msg\`; other fields give details. At start, the server also logs a warning for each unknown
\`UWS_ECHO_*\` variable and for each combination of options that is risky. [Operating](../operating.md#logs) explains the log.

`;

const levels = ["fatal", "error", "warn", "info", "debug"] as const;

export function logReference(): string {
  const messages = Object.entries(logMessages) as [
    LogMessage<(typeof levels)[number]>,
    { level: string; meaning: string },
  ][];
  const rows = levels.flatMap((level) =>
    messages
      .filter(([, row]) => row.level === level)
      .map(([message, { meaning }]) => [level, code(message), meaning]),
  );
  return (
    generated("Log", "src/system/log-messages.ts") +
    introduction +
    table(["Level", "Message", "Meaning"], rows)
  );
}
