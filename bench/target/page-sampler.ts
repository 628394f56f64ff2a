// Samples the Prometheus page of a server, at every address of its host.

import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { hostOf, type Route, routeOptions } from "../engine/route.ts";
import { readPage } from "./page.ts";
import { type LookupAll, Replicas, type Scraped } from "./replicas.ts";
import type { Sampler } from "./sampler.ts";

const scrapeTimeoutMs = 2000;
const pageLimitBytes = 16 * 1024 * 1024;

export interface PageOptions extends Route {
  readonly metricsPeriodMs: number;
  /** Asks for all addresses of a host (default: the system's resolver). */
  readonly lookupAll?: LookupAll | undefined;
}

/** A sampler that can explain missing samples. */
export interface PageSampler extends Sampler {
  /** The problem of the page, as it follows its URL; undefined if it can be used. */
  problem(): Promise<string | undefined>;
}

/** Samples a page, or, when its host has several addresses, the sum of the pages of all. */
export function samplePage(url: string, options: PageOptions): PageSampler {
  const replicas = new Replicas(hostOf(url), options);
  const scrapeAll = async (): Promise<Scraped[]> =>
    Promise.all(
      (await replicas.find()).map(async ({ name, addresses }) => {
        try {
          return { name, page: await scrape(url, { ...options, addresses }) };
        } catch (error) {
          return { name, problem: (error as Error).message };
        }
      }),
    );
  return {
    source: "metrics",
    cpus: null,
    periodMs: options.metricsPeriodMs,
    async problem() {
      const problems = (await scrapeAll()).flatMap(({ name, page, problem }) => {
        const at = name === "" ? "" : `at ${name} `;
        if (page === undefined) {
          return [`${at}cannot be read as a Prometheus page: ${problem}`];
        }
        return readPage(page) === undefined
          ? [`${at}is not a Prometheus page with process_cpu_seconds_total`]
          : [];
      });
      return problems.length === 0 ? undefined : problems.join(", and ");
    },
    async sample(nowNs) {
      return replicas.read(await scrapeAll(), nowNs());
    },
  };
}

/** The page's text. Always settles: rejects if the target disconnects, answers with another status, or takes too long. */
function scrape(url: string, route: PageOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      agent: false,
      headers: { accept: "text/plain;version=0.0.4" },
      signal: AbortSignal.timeout(scrapeTimeoutMs),
      ...routeOptions(route),
    };
    const request = (url.startsWith("https:") ? getHttps : getHttp)(url, options, (response) => {
      let page = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        page += text;
        if (page.length > pageLimitBytes) {
          response.destroy(new Error(`it is longer than ${pageLimitBytes} bytes`));
        }
      });
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200
          ? resolve(page)
          : reject(new Error(`its status is ${response.statusCode}`)),
      );
    });
    request.on("error", (error) =>
      reject(error.name === "TimeoutError" ? new Error(`no response within ${scrapeTimeoutMs} ms`) : error),
    );
    request.on("close", () => reject(new Error("the connection ended without a response")));
  });
}
