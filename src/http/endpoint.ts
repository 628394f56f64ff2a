// Defines the interface of an HTTP endpoint.
import type { HttpRequest, HttpResponse, TemplatedApp } from "uWebSockets.js";

/** One route of the server. Each has its own file. */
export interface Endpoint {
  /** The exact path, for example `/echo`. */
  readonly path: string;
  /** The pattern for uWS, if the path has a parameter. */
  readonly pattern?: string;
  /** Supported methods, in the order of the `Allow` header. */
  readonly methods: readonly string[];
  /** One sentence for the 404 page and the docs. */
  readonly summary: string;
  /** Registers the uWS routes of this endpoint. */
  mount(app: TemplatedApp): void;
}

/** Answers one HTTP request. uWS invalidates the request once the handler returns. */
export type HttpHandler = (res: HttpResponse, req: HttpRequest) => void;
