// docs/reference/limits.md: what happens at each limit, from the table of options and the fixed limits below.
import { flagName, optionNames, optionRow } from "../../src/config/resolve.ts";
import { code, generated, plain, table } from "./markdown.ts";

interface FixedLimit {
  readonly limited: string;
  readonly limit: string;
  readonly outcome: string;
  readonly countedBy: readonly string[];
}

/** Limits that are not options. */
const fixedLimits: readonly FixedLimit[] = [
  {
    limited: "Unfinished messages of all connections",
    limit: "--max-connections times --max-payload",
    outcome:
      "bounded only by these two options: see [unfinished messages](../operating.md#unfinished-messages)",
    countedBy: ["echo_limit_unfinished_bytes", "echo_limit_memory_bytes"],
  },
  {
    limited: "Messages that endpoints on demand push",
    limit: "what one connection has not read",
    outcome: "ticks and pings are skipped; other messages wait",
    countedBy: ["echo_ticks_skipped_total"],
  },
  {
    limited: "Sockets of a process",
    limit: "the descriptor limit less 96",
    outcome: "listening pauses until 5 % are free again",
    countedBy: ["echo_listen_pauses_total"],
  },
  {
    limited: "Sockets of the admin listener",
    limit: "64, or an eighth of the descriptor limit",
    outcome: "its listening pauses; clients are not affected",
    countedBy: ["echo_listen_pauses_total"],
  },
  {
    limited: "TLS connections before their handshake",
    limit: "the limits on connections and handshakes, plus some room for HTTP",
    outcome: "the connection is reset",
    countedBy: ["echo_tls_failures_total"],
  },
  {
    limited: "Bytes buffered for TLS clients, in addition to those of the app",
    limit: "256 KiB each, half of --max-buffered for all",
    outcome: "the client that has waited longest is dropped",
    countedBy: ["echo_tls_buffered_bytes", "echo_tls_overflows_total"],
  },
  {
    limited: "Bytes buffered for an upload of POST /echo, whose body is streamed",
    limit: "about 1 MiB, counted under --max-buffered",
    outcome: "the upload pauses, and is dropped after --stall-timeout",
    countedBy: ["echo_buffered_bytes", 'echo_connections_terminated_total{reason="stalled"}'],
  },
  {
    limited: "An unread stream of /sse",
    limit: "one event, counted under --max-buffered",
    outcome: "events are skipped; the stream ends after 10 s without progress",
    countedBy: ["echo_ticks_skipped_total"],
  },
  {
    limited: "Idle time of an HTTP connection",
    limit: "10 to 14 s",
    outcome: "the connection is dropped",
    countedBy: [],
  },
  {
    limited: "Unread HTTP responses",
    limit: "one per connection",
    outcome: "the connection ends after 10 s without progress, or at the next request",
    countedBy: ["echo_http_answers_waiting", "echo_http_answers_aborted_total"],
  },
  {
    limited: "Concurrent scrapes",
    limit: "one rendering in 100 ms for each format and encoding",
    outcome: "scrapes wait for the next rendering and share it",
    countedBy: ["echo_scrape_duration_seconds"],
  },
  {
    limited: "Request headers that arrive in pieces",
    limit: "4 KiB",
    outcome: "431",
    countedBy: [],
  },
  {
    limited: "Log lines that nothing reads",
    limit: "256 KiB",
    outcome: "lines are dropped",
    countedBy: ["echo_log_lines_dropped_total"],
  },
  {
    limited: "A handshake or request that never ends",
    limit: "about 12 s",
    outcome: "the connection is dropped",
    countedBy: [],
  },
];

export function limitsReference(): string {
  const options = optionNames.flatMap((name) => {
    const { limit } = optionRow(name);
    return limit === undefined
      ? []
      : [
          [
            code(flagName(name)),
            plain(limit.help),
            plain(limit.outcome),
            codes(limit.countedBy),
            code(`echo_limit_${limit.name}`),
          ],
        ];
  });
  const fixed = fixedLimits.map(({ limited, limit, outcome, countedBy }) => [
    limited,
    limit,
    outcome,
    codes(countedBy),
  ]);
  return (
    generated("Limits", "src/config/options and scripts/reference/limits.ts") +
    "\nEverything that a client can make grow has a limit. [Operating](../operating.md#limits) explains them.\n" +
    `\n## Options\n\n${table(["Option", "Limits", "At the limit", "Counted by", "Gauge"], options)}` +
    `\n## Fixed limits\n\n${table(["Limits", "Limit", "At the limit", "Counted by"], fixed)}`
  );
}

function codes(metrics: readonly string[]): string {
  return metrics.map(code).join(", ");
}
