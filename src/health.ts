// `uws-echo health`: checks whether a running server is alive, for a container's HEALTHCHECK.
import { get } from "node:http";
import { get as getSecure } from "node:https";
import { exitCodes } from "./config/exit-codes.ts";
import type { Config } from "./config/options.ts";
import { servedUrls } from "./server/urls.ts";

const timeoutMs = 3000;

/**
 * Requests `/livez` from the server that this configuration would start.
 * @returns the exit code: 0 alive, 1 not
 */
export async function checkHealth(config: Config): Promise<number> {
  const { livez } = servedUrls(config, config.port, config.adminPort);
  try {
    const status = await fetchStatus(livez);
    process.stdout.write(`${livez}: ${status}\n`);
    return status === 200 ? exitCodes.good : exitCodes.failed;
  } catch (error) {
    process.stderr.write(`${livez}: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitCodes.failed;
  }
}

function fetchStatus(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    // The certificate need not be trusted: this is our own server on this machine.
    const options = { timeout: timeoutMs, rejectUnauthorized: false, agent: false } as const;
    const request = (url.startsWith("https:") ? getSecure : get)(url, options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on("error", reject);
  });
}
