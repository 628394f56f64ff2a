// What no endpoint answers: 405 with Allow on a known path, and 404 that lists what exists.
import type { TemplatedApp } from "uWebSockets.js";
import { type Route, routes } from "../metrics/counters.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Reply, SendReply } from "./reply.ts";

/** Mounts the endpoints of one listener, and the answers for all other requests. */
export function mountEndpoints(app: TemplatedApp, endpoints: readonly Endpoint[], reply: SendReply): void {
  for (const endpoint of endpoints) {
    const { path, methods } = endpoint;
    const allow = methods.join(", ");
    const route = routes.find((known) => known === path) ?? ("other" satisfies Route);
    const refused: Reply = { status: 405, headers: { Allow: allow }, body: `Allowed here: ${allow}\n` };
    // uWS prefers a route of the exact method, and of two for any method the one that came last.
    app.any(path, (res) => reply(res, route, refused));
    endpoint.mount(app);
  }
  const width = Math.max(...endpoints.map(({ path }) => path.length));
  const list = endpoints.map(({ path, summary }) => `  ${path.padEnd(width)}  ${summary}\n`).join("");
  app.any("/*", (res, req) => {
    const isHead = req.getMethod() === "head";
    reply(res, "other", { status: 404, body: `There is nothing here. What there is:\n${list}`, isHead });
  });
}
