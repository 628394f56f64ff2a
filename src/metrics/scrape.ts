// Answers GET /metrics: negotiates format and compression, and measures its own time.
import { promisify } from "node:util";
import Negotiator from "negotiator";
import type { Registry } from "prom-client";
import { sampleName } from "../lib/prometheus-text.ts";
import { lazily } from "../system/lazy-builtins.ts";
import type { Pages } from "./pages.ts";
import type { BuildInfo, Format, LimitGauge, MetricsSource } from "./registry.ts";

const compress = (text: string): Promise<Buffer> => promisify(lazily.zlib().gzip)(text);
const mediaTypes = {
  text: "text/plain",
  openmetrics: "application/openmetrics-text;version=1.0.0",
} as const;

/** The request headers that select format and encoding. */
export interface ScrapeRequest {
  readonly accept: string;
  readonly acceptEncoding: string;
}

export interface Scrape {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Renders the page for one client. */
export type Scraper = (request: ScrapeRequest) => Promise<Scrape>;

/** The metrics of one server, for scrapes and for the library. */
export interface Metrics {
  readonly scrape: Scraper;
  /** Every sample by name and labels in the text format, such as `echo_sends_total{result="sent"}`. */
  samples(): Promise<Record<string, number>>;
}

export function createMetrics(
  source: MetricsSource,
  limits: readonly LimitGauge[],
  build: BuildInfo,
): Metrics {
  const last = { seconds: 0, bytes: 0 };
  let loading: Promise<Pages> | undefined;
  const load = (): Promise<Pages> => {
    loading ??= import("./pages.ts").then(({ createPages }) => createPages(source, limits, build, last));
    return loading;
  };

  async function scrape(request: ScrapeRequest): Promise<Scrape> {
    const registry = (await load())[chooseFormat(request.accept)];
    const startedAt = performance.now();
    const body = await registry.metrics();
    last.seconds = (performance.now() - startedAt) / 1000;
    last.bytes = Buffer.byteLength(body);
    const headers = { "Content-Type": registry.contentType, Vary: "Accept, Accept-Encoding" };
    if (canonicalRequest(request).acceptEncoding !== "gzip") {
      return { headers, body };
    }
    return { headers: { ...headers, "Content-Encoding": "gzip" }, body: await compress(body) };
  }

  return { scrape, samples: async () => readSamples((await load()).text) };
}

async function readSamples(registry: Registry): Promise<Record<string, number>> {
  const families = await registry.getMetricsAsJSON();
  const entries = families.flatMap(({ name, values }) =>
    (values as readonly JsonValue[]).map(({ metricName, labels, value }) => {
      const written = Object.entries(labels).map(([label, text]) => [label, String(text)] as const);
      return [sampleName(metricName ?? name, written), value] as const;
    }),
  );
  return Object.fromEntries(entries);
}

/** A sample of prom-client; its typings omit the names of a histogram's parts. */
interface JsonValue {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Chooses OpenMetrics 1.0 if the client prefers it, else the text format 0.0.4. */
export function chooseFormat(accept: string): Format {
  // Prometheus 3 adds escaping=... and accepts text/plain in versions 1.0.0 and 0.0.4; neither matters here.
  const known = accept
    .replaceAll(/;\s*escaping=[^;,]*/g, "")
    .replaceAll(/(text\/plain)((?:\s*;\s*(?!\s|q=)[^;,]*)+)/g, "$1");
  const preferred = new Negotiator({ headers: { accept: known } }).mediaType([
    mediaTypes.text,
    mediaTypes.openmetrics,
  ]);
  return preferred === mediaTypes.openmetrics ? "openmetrics" : "text";
}

/** The shortest request with the same response. */
export function canonicalRequest({ accept, acceptEncoding }: ScrapeRequest): ScrapeRequest {
  const encodings = new Negotiator({ headers: { "accept-encoding": acceptEncoding } });
  return {
    accept: mediaTypes[chooseFormat(accept)],
    acceptEncoding: encodings.encoding(["gzip", "identity"]) === "gzip" ? "gzip" : "identity",
  };
}
