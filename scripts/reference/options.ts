// docs/reference/options.md: the server's options and exit codes, from their tables.
import { exitCodeMeanings } from "../../src/config/exit-codes.ts";
import { flagText } from "../../src/config/help.ts";
import { optionGroups } from "../../src/config/option.ts";
import { optionNames, optionRow, variableName } from "../../src/config/resolve.ts";
import { code, generated, plain, table } from "./markdown.ts";

const introduction = `
Each option is a flag and an environment variable. Flags win over variables, and variables over defaults. An empty variable
counts as unset, and the server warns about a variable that begins with \`UWS_ECHO_\` but names no option. A program that uses
[the library](../../README.md#in-a-test-suite) passes the same options by their camelCase names: \`--max-payload\` is \`maxPayload\`.

[Sizes, durations and rates](units.md) are written as in the harness: \`64KiB\`, \`30s\`, \`20k/s\`. A flag without a
placeholder stands alone, while its variable takes \`true\` or \`false\`: \`--goodbye\`, but \`UWS_ECHO_GOODBYE=true\`.

\`uws-echo --print-config\` shows every option with its value and its source, and exits.

[Limits](limits.md) says what happens at each limit, and which metric counts it.

Some options constrain each other: \`--max-backpressure\` is at least \`--max-payload\`, \`--max-buffered\` at least
\`--max-backpressure\`, \`--drain-spread\` below \`--drain-timeout\`, \`--admin-port\` differs from \`--port\`, and \`--tls-cert\` needs
\`--tls-key\`. The defaults of \`--max-backpressure\` and \`--max-buffered\` rise with a higher \`--max-payload\`.
`;

export function optionsReference(): string {
  const groups = optionGroups.map((group) => {
    const names = optionNames.filter((name) => optionRow(name).group === group);
    const rows = names.map((name) => {
      const { flags, description, defaultText } = flagText(name);
      const row = optionRow(name);
      return [
        code(flags),
        code(variableName(name)),
        plain(defaultText),
        plain(row.expected.replace(/, such as (?:500|64KiB).*/, "")),
        plain(description),
      ];
    });
    return `\n## ${group}\n\n${table(["Flag", "Variable", "Default", "Allowed", "Meaning"], rows)}`;
  });
  const exitCodes = table(
    ["Exit code", "Meaning"],
    exitCodeMeanings.map(([code, meaning]) => [String(code), meaning]),
  );
  return `${generated("Options", "src/config/options")}${introduction}${groups.join("")}\n## Exit codes\n\n${exitCodes}`;
}
