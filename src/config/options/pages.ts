// Options for the page and the log.
import { choice, toggle } from "../option.ts";

export const pages = {
  console: toggle({
    group: "Pages and logs",
    help: "the page at /, which tests the server from a browser",
    default: true,
  }),
  logLevel: choice({
    group: "Pages and logs",
    placeholder: "<level>",
    help: "lowest level that is logged: fatal, error, warn, info, debug or trace; silent logs nothing",
    choices: ["fatal", "error", "warn", "info", "debug", "trace", "silent"],
    default: "info",
  }),
};
