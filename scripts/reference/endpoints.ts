// docs/reference/endpoints.md: the paths that a server with default options answers, read from one.

import { request } from "node:http";
import { startEchoServer } from "../../src/index.ts";
import { code, generated, table } from "./markdown.ts";

export async function endpointsReference(): Promise<string> {
  const server = await startEchoServer({ adminPort: "off" });
  try {
    const base = `http://127.0.0.1:${server.port}`;
    const page = await (await fetch(`${base}/nothing`)).text();
    const rows: string[][] = [];
    for (const [, path = "", summary = ""] of page.matchAll(/^ {2}(\/\S*) +(.*)$/gm)) {
      rows.push([code(path), (await allowedMethods(`${base}${path}`)) ?? "any", summary]);
    }
    return (
      generated("Endpoints", "the endpoints in src/http and src/websocket") +
      "\n[What each one does, with examples](../endpoints.md).\n\n" +
      table(["Path", "Methods", "What it is"], rows)
    );
  } finally {
    await server.stop();
  }
}

/** The Allow header of the answer to a method that no endpoint has; undefined where every method is allowed. */
async function allowedMethods(url: string): Promise<string | undefined> {
  return await new Promise((resolve, reject) => {
    request(url, { method: "PROPFIND", agent: false }, (response) => {
      response.resume();
      resolve(response.headers.allow);
    })
      .on("error", reject)
      .end();
  });
}
