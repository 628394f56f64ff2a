// The limits in force, as gauges.

import type { Config } from "../config/options.ts";
import { optionNames, optionRow } from "../config/resolve.ts";
import { socketLimit } from "../system/resources.ts";
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
  const help = "Sockets of one worker at which listening pauses, from the descriptor limit";
  return Number.isFinite(sockets) ? [...fromOptions, { name: "sockets", help, value: sockets }] : fromOptions;
}
