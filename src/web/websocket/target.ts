// Parses the URL and sub-protocol fields, and derives their defaults from the page's own address. Pure.

import { tokenCharacters, tokenPattern } from "../../lib/token.ts";

/** The target, or a sentence with the problem. */
export type TargetResult =
  | { readonly url: string; readonly protocols: readonly string[] }
  | { readonly problem: string };

/** The parts of `window.location` that are used here. */
export interface PageAddress {
  readonly protocol: string;
  readonly host: string;
}

/** The echo URL of this server, ws or wss like the page. For a page opened from a file, the default port of this machine. */
export function defaultUrl(page: PageAddress): string {
  if (page.protocol === "https:") {
    return `wss://${page.host}/echo`;
  }
  return page.protocol === "http:" ? `ws://${page.host}/echo` : "ws://localhost:9998/echo";
}

/** The URL of /metrics on the page's server, or on the echo's if the page is a file; undefined for an invalid URL. */
export function metricsUrl(page: PageAddress, wsUrl: string): string | undefined {
  if (page.protocol === "http:" || page.protocol === "https:") {
    return "/metrics";
  }
  return URL.canParse(wsUrl) ? new URL("/metrics", wsUrl.replace(/^ws/, "http")).href : undefined;
}

/** Checks both fields with clearer errors than those of the WebSocket constructor. */
export function readTarget(page: PageAddress, typedUrl: string, typedProtocols: string): TargetResult {
  const text = typedUrl.trim().replace(/^http(s?):/i, "ws$1:");
  if (!URL.canParse(text)) {
    return { problem: "This is not a URL. Use the form ws://host:port/path." };
  }
  const url = new URL(text);
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    return { problem: `A WebSocket URL starts with ws:// or wss://, not ${url.protocol}//.` };
  }
  if (url.hash !== "") {
    return { problem: "A WebSocket URL has no fragment (#...)." };
  }
  if (page.protocol === "https:" && url.protocol === "ws:" && !isLoopback(url.hostname)) {
    return { problem: "A page loaded over https may open only wss://, not ws:// (mixed content)." };
  }
  const protocols = typedProtocols.split(/[\s,]+/).filter((name) => name !== "");
  const bad = protocols.find((name) => !tokenPattern.test(name));
  if (bad !== undefined) {
    return { problem: `"${bad}" is not a sub-protocol name: use only ${tokenCharacters}.` };
  }
  const twice = protocols.find((name, at) => protocols.indexOf(name) !== at);
  if (twice !== undefined) {
    return { problem: `The sub-protocol "${twice}" is listed twice.` };
  }
  return { url: url.href, protocols };
}

/** The code and reason of close(), or their problem (the API allows 1000 and 3000 to 4999). */
export function readClose(
  typedCode: string,
  reason: string,
): { readonly code: number } | { readonly problem: string } {
  const code = /^\d{4}$/.test(typedCode.trim()) ? Number(typedCode) : Number.NaN;
  if (code !== 1000 && !(code >= 3000 && code <= 4999)) {
    return {
      problem:
        "A script may close with 1000, or with 3000 to 4999; other codes are reserved for the protocol.",
    };
  }
  const bytes = new TextEncoder().encode(reason).length;
  return bytes > 123 ? { problem: `The close reason has ${bytes} bytes; the limit is 123.` } : { code };
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
}
