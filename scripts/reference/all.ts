// Every generated file, by its path from the project's root.
import { endpointsReference } from "./endpoints.ts";
import { harnessReference } from "./harness.ts";
import { libraryOptions } from "./library-options.ts";
import { limitsReference } from "./limits.ts";
import { logReference } from "./log.ts";
import { harnessManual, serverManual } from "./manual.ts";
import { metricsReference } from "./metrics.ts";
import { onDemandReference } from "./on-demand.ts";
import { optionsReference } from "./options.ts";
import { refusalsReference } from "./refusals.ts";

export async function references(): Promise<Map<string, string>> {
  return new Map([
    ["docs/man/uws-echo.1", serverManual()],
    ["docs/man/uws-echo-bench.1", harnessManual()],
    ["docs/reference/endpoints.md", await endpointsReference()],
    ["docs/reference/harness.md", harnessReference()],
    ["docs/reference/limits.md", limitsReference()],
    ["docs/reference/log.md", logReference()],
    ["docs/reference/metrics.md", await metricsReference()],
    ["docs/reference/on-demand.md", onDemandReference()],
    ["docs/reference/options.md", optionsReference()],
    ["docs/reference/refusals.md", refusalsReference()],
    ["src/echo-server-options.ts", libraryOptions()],
  ]);
}
