// docs/reference/refusals.md: why a handshake is refused, in the order of the checks.
import { refusals } from "../../src/websocket/refusals.ts";
import { code, generated, table } from "./markdown.ts";

const introduction = `
The checks of a handshake, in their order. \`echo_upgrades_rejected_total\` counts refusals by reason. [Operating](../operating.md#admission)
explains them.

`;

export function refusalsReference(): string {
  const rows = Object.entries<{ status?: number; retryAfter?: number; when: string }>(refusals).map(
    ([reason, { status, retryAfter, when }]) => [
      code(reason),
      status === undefined ? "any" : `${status}`,
      retryAfter === undefined ? "" : `${retryAfter} s`,
      when,
    ],
  );
  return (
    generated("Refused handshakes", "src/websocket/refusals.ts") +
    introduction +
    table(["Reason", "Status", "`Retry-After`", "When"], rows)
  );
}
