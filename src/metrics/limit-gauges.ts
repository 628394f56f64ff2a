// Exposes the limits in force as gauges.

import type { Config } from "../config/options.ts";
import { optionNames, optionRow } from "../config/resolve.ts";
import { unfinishedBytes } from "../config/unfinished.ts";
import { memoryLimit, socketLimit } from "../system/resources.ts";
import type { LimitGauge } from "./registry.ts";

/** One gauge for each option that is a limit. */
export function limitGauges(config: Config): LimitGauge[] {
  const fromOptions = optionNames.flatMap((name): LimitGauge[] => {
    const { limit } = optionRow(name);
    return limit === undefined
      ? []
      : [{ name: limit.name, help: limit.help, value: limit.value(config[name]) }];
  });
  const sockets = socketLimit();
  return [
    ...fromOptions,
    {
      name: "unfinished_bytes",
      help: "Bytes that unfinished messages of all connections together could use, which no single limit bounds",
      value: unfinishedBytes(config),
    },
    { name: "memory_bytes", help: "Memory that the server may use, in bytes", value: memoryLimit() },
    ...(Number.isFinite(sockets)
      ? [
          {
            name: "sockets",
            help: "Open sockets at which one worker pauses listening, from the descriptor limit",
            value: sockets,
          },
        ]
      : []),
  ];
}
