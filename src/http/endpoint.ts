// The shape of an endpoint.
import type { HttpRequest, HttpResponse, TemplatedApp } from "uWebSockets.js";

/** One route of the server. A file in this folder owns one endpoint. */
export interface Endpoint {
  /** The exact path, for example `/echo`. */
  readonly path: string;
  /** The pattern that uWS matches, where the path has a parameter in it. */
  readonly pattern?: string;
  /** Methods that it answers, in the order in which `Allow` lists them. */
  readonly methods: readonly string[];
  /** One sentence for the 404 page and the docs. */
  readonly summary: string;
  /** Registers the uWS routes of this endpoint. */
  mount(app: TemplatedApp): void;
}

/** Answers one HTTP request; uWS gives a request that is dead once the handler returns. */
export type HttpHandler = (res: HttpResponse, req: HttpRequest) => void;
