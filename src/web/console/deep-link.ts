// Reads and writes deep links: `#url=ws://...&protocols=chat&message=Hello&connect`. Pure.
import type { ComposerMode } from "../websocket/payload.ts";

/** The content of a deep link. Missing parts are undefined. */
export interface DeepLink {
  readonly url: string | undefined;
  readonly protocols: string | undefined;
  readonly message: string | undefined;
  readonly mode: ComposerMode | undefined;
  /** Connect at once. */
  readonly connect: boolean;
}

/** Reads `location.hash`. Relative URLs (`/echo?delay=1s`) are resolved against the page's own server. */
export function readDeepLink(hash: string, base: string): DeepLink {
  const parameters = new URLSearchParams(hash.replace(/^#/, ""));
  const url = parameters.get("url") ?? parameters.get("endpoint") ?? undefined;
  const mode = parameters.get("mode");
  return {
    url: url?.startsWith("/") && URL.canParse(url, base) ? new URL(url, base).href : url,
    protocols: parameters.get("protocols") ?? undefined,
    message: parameters.get("message") ?? undefined,
    mode: mode === "text" || mode === "json" || mode === "binary" ? mode : undefined,
    connect: parameters.has("connect"),
  };
}

/** Returns the fragment that restores this state. */
export function writeDeepLink(link: Pick<DeepLink, "url" | "protocols" | "message" | "mode">): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(link)) {
    if (value !== undefined && value !== "") {
      parameters.set(name, value);
    }
  }
  return `#${parameters}`;
}
