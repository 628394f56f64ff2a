// The messages between the supervisor and its workers, over the IPC channel of fork() (structured clone).
import type { Config } from "../config/options.ts";
import type { Stats } from "../metrics/counters.ts";
import type { ProcessSample } from "../metrics/process-sampler.ts";
import type { Scrape, ScrapeRequest } from "../metrics/scrape.ts";

/** Resources for TLS that a worker gets from its supervisor. */
export interface Inherited {
  /** A listening socket. */
  readonly descriptor: number | undefined;
  /** Keys of TLS session tickets, shared by all workers. */
  readonly ticketKeys: Buffer | undefined;
}

/** To a worker. */
export type Order =
  | {
      readonly kind: "start";
      readonly config: Config;
      readonly worker: number;
      readonly inherited: Inherited;
    }
  | { readonly kind: "stop" }
  | { readonly kind: "reload" }
  | { readonly kind: "force" }
  | { readonly kind: "scraped"; readonly id: number; readonly scrape?: Scrape; readonly problem?: string };

/** From a worker. */
export type Report =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly problem: string }
  | { readonly kind: "stats"; readonly stats: Stats; readonly sample: ProcessSample }
  | { readonly kind: "scrape"; readonly id: number; readonly request: ScrapeRequest };
