// Mounts the endpoints. Answers other methods with 405 and Allow, and unknown paths with 404 and a list of paths.
import type { TemplatedApp } from "uWebSockets.js";
import { alignColumns } from "../lib/columns.ts";
import { type Route, routes } from "../metrics/counters.ts";
import type { Endpoint, HttpHandler } from "./endpoint.ts";
import type { Reply, SendReply } from "./reply.ts";
import { checkRequest, type RequestCheck } from "./request-checks.ts";

const methodNames = new Set<PropertyKey>(["get", "head", "post", "options", "put", "patch", "del", "any"]);

/**
 * Mounts the endpoints of one listener, and the fallbacks for all other requests.
 * @param check checks each request first
 * @returns a function that releases all HTTP handlers when the app is closed
 */
export function mountEndpoints(
  native: TemplatedApp,
  endpoints: readonly Endpoint[],
  reply: SendReply,
  check: RequestCheck = checkRequest,
): () => void {
  const { app, release } = releasable(native, (path, handler) => (res, req) => {
    const refused = check(path, res, req);
    if (refused === undefined) {
      handler(res, req);
    } else {
      reply(res, routeOf(path), { ...refused, isHead: req.getMethod() === "head" });
    }
  });
  for (const endpoint of endpoints) {
    const { path, methods } = endpoint;
    const allow = methods.join(", ");
    const route = routeOf(path);
    const refused: Reply = { status: 405, headers: { Allow: allow }, body: `Allowed here: ${allow}\n` };
    // uWS prefers a route of the exact method, and of two routes for any method the last one.
    app.any(endpoint.pattern ?? path, (res) => reply(res, route, refused));
    endpoint.mount(app);
  }
  const list = alignColumns(endpoints.map(({ path, summary }) => [`  ${path}`, summary]))
    .map((line) => `${line}\n`)
    .join("");
  app.any("/*", (res, req) => {
    const isHead = req.getMethod() === "head";
    reply(res, "other", { status: 404, body: `Not found. Available paths:\n${list}`, isHead });
  });
  return release;
}

function routeOf(path: string): Route {
  return routes.find((known) => known === path) ?? "other";
}

// uWS never frees an app or its handlers. A program that starts and stops many servers would keep the page and the
// metrics of all of them.
function releasable(
  native: TemplatedApp,
  wrap: (path: string, handler: HttpHandler) => HttpHandler,
): { app: TemplatedApp; release: () => void } {
  const handlers: HttpHandler[] = [];
  const app: TemplatedApp = new Proxy(native, {
    get(target, name) {
      if (!methodNames.has(name)) {
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return (path: string, handler: HttpHandler) => {
        const at = handlers.push(wrap(path, handler)) - 1;
        target[name as "get"](path, (res, req) => handlers[at]?.(res, req));
        return app;
      };
    },
  });
  return { app, release: () => handlers.splice(0) };
}
