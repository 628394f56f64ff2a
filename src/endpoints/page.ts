// GET /: the page to try the server from a browser.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Endpoint, HttpHandler } from "./endpoint.ts";
import type { SendReply } from "./reply.ts";

/** @param path of the page that the build made */
export function createPage(path: URL, reply: SendReply): Endpoint {
  const body = readFileSync(path);
  const scripts = [...body.toString().matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
    ([, source]) =>
      `'sha256-${createHash("sha256")
        .update(source ?? "")
        .digest("base64")}'`,
  );
  const headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": `default-src 'none'; connect-src 'self' ws: wss:; script-src ${scripts.join(" ")}`,
  };
  const handler: HttpHandler = (res, req) =>
    reply(res, "/", { status: 200, headers, body, isHead: req.getMethod() === "head" });
  return {
    path: "/",
    methods: ["GET", "HEAD"],
    summary: "a page to try the server from a browser",
    mount: (app) => app.get("/", handler).head("/", handler),
  };
}
