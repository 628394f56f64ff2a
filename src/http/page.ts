// GET /: serves the page, which tests the server from a browser.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Negotiator from "negotiator";
import { lazily } from "../system/lazy-builtins.ts";
import type { Endpoint, HttpHandler } from "./endpoint.ts";
import type { Reply, SendReply } from "./reply.ts";

/** The page in each encoding, and the headers that do not depend on the request. */
export interface Page {
  readonly identity: Uint8Array;
  readonly gzip: Uint8Array;
  readonly br: Uint8Array;
  /** Content-Security-Policy that allows only the script and style of this document, by hash. */
  readonly policy: string;
  /** Hash of the document; each encoding derives its ETag from it. */
  readonly digest: string;
}

/** The request headers that affect the response; empty if absent, as in uWS. */
export interface PageRequest {
  readonly acceptEncoding: string;
  readonly ifNoneMatch: string;
  readonly host: string;
  readonly isTls: boolean;
}

type Encoding = "br" | "gzip" | "identity";

/**
 * Reads the page and its compressed copies, which `npm run build` creates.
 * @returns a function that hashes it at its first call, since a start does not need that
 * @throws Error if the page is not built
 */
export function readPage(path: URL): () => Page {
  if (!existsSync(path)) {
    throw new Error("The page of / is not built: run npm run build, or use --no-console.");
  }
  const identity = readFileSync(path);
  const gzip = readFileSync(`${fileURLToPath(path)}.gz`);
  const br = readFileSync(`${fileURLToPath(path)}.br`);
  let page: Page | undefined;
  return () => {
    page ??= describePage(identity, gzip, br);
    return page;
  };
}

export function describePage(identity: Uint8Array, gzip: Uint8Array, br: Uint8Array): Page {
  const digest = lazily.crypto().createHash("sha256").update(identity).digest("base64url").slice(0, 22);
  return {
    identity,
    gzip,
    br,
    digest,
    policy: contentSecurityPolicy(Buffer.from(identity).toString("utf8")),
  };
}

/**
 * @param path of the built page
 * @param isTls whether this listener uses TLS
 */
export function createPage(path: URL, reply: SendReply, isTls: boolean): Endpoint {
  const page = readPage(path);
  const handle =
    (isHead: boolean): HttpHandler =>
    (res, req) => {
      const answer = answerPage(page(), {
        acceptEncoding: req.getHeader("accept-encoding"),
        ifNoneMatch: req.getHeader("if-none-match"),
        host: req.getHeader("host"),
        isTls,
      });
      reply(res, "/", { ...answer, isHead: isHead && answer.status === 200 });
    };
  return {
    path: "/",
    methods: ["GET", "HEAD"],
    summary: "a page that tests the server from a browser",
    mount(app) {
      app.get("/", handle(false));
      app.head("/", handle(true));
    },
  };
}

/** The response to one request. */
export function answerPage(page: Page, request: PageRequest): Reply {
  const encoding = chooseEncoding(request.acceptEncoding);
  const etag = `"${page.digest}-${encoding}"`;
  const validators = { ETag: etag, "Cache-Control": "no-cache", Vary: "Accept-Encoding" };
  if (matchesEtag(request.ifNoneMatch, etag)) {
    return { status: 304, headers: validators, body: page[encoding] };
  }
  return {
    status: 200,
    headers: {
      ...validators,
      "Content-Type": "text/html; charset=utf-8",
      ...(encoding === "identity" ? {} : { "Content-Encoding": encoding }),
      "Content-Security-Policy": page.policy,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      ...(isTrustworthy(request) ? isolationHeaders : {}),
    },
    body: page[encoding],
  };
}

/** The smallest encoding that the client accepts, whatever it prefers: the page is compressed at build time. */
export function chooseEncoding(acceptEncoding: string): Encoding {
  const accepted = new Negotiator({ headers: { "accept-encoding": acceptEncoding } }).encodings([
    "br",
    "gzip",
  ]);
  if (accepted.includes("br")) {
    return "br";
  }
  return accepted.includes("gzip") ? "gzip" : "identity";
}

/** RFC 9110, section 13.1.2: If-None-Match compares weakly, so a proxy's `W/` is ignored. */
function matchesEtag(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch.trim() === "*") {
    return true;
  }
  return ifNoneMatch.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === etag);
}

/** Cross-origin isolation gives the page a clock in steps of 5 us instead of 100. */
const isolationHeaders = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

// Elsewhere browsers ignore the isolation headers and log a warning.
function isTrustworthy(request: PageRequest): boolean {
  return request.isTls || /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i.test(request.host);
}

/** Allows the inline script and style by hash, WebSockets to any server, and nothing else. */
function contentSecurityPolicy(html: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashesOf(html, "script")}`,
    `style-src ${hashesOf(html, "style")}`,
    "connect-src 'self' ws: wss:",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; ");
}

function hashesOf(html: string, element: "script" | "style"): string {
  const contents = [...html.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, "gs"))].map(
    (match) => match[1] ?? "",
  );
  const { createHash } = lazily.crypto();
  const hashes = contents.map(
    (content) => `'sha256-${createHash("sha256").update(content).digest("base64")}'`,
  );
  return hashes.length === 0 ? "'none'" : hashes.join(" ");
}
