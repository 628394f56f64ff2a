// The options of commands whose target is a URL, or a command that starts it.

import type { Command } from "commander";
import { isUrl } from "../measure/once.ts";

/** Adds the options for either kind of target. */
export function addStartableOptions(command: Command): Command {
  return command
    .option("--path <path>", "path of the endpoint, for a target started from a command", "/echo")
    .option("--label <text>", "name for tables and plots")
    .option("--pid <pid>", "process id of a target given by its URL, for its CPU time")
    .option("--metrics-url <url|off>", "URL of such a target's Prometheus metrics, or off");
}

/** The problems of a target: a URL is checked further by `readLoad`. */
export function startableProblems(target: string): string[] {
  return isUrl(target) || target.includes("{port}")
    ? []
    : [`"${target}" is neither a ws:// URL nor a command with {port}`];
}

export function pathProblems(path: string): string[] {
  return path.startsWith("/") ? [] : ["--path: must begin with /"];
}
