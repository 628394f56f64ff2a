// The Server panel: plots, limits, and an explanation if the metrics cannot be read.

import { formatBytes, formatElapsed, formatNumber } from "../../lib/format.ts";
import { byId, make } from "../ui/dom.ts";
import type { PageAddress } from "../websocket/target.ts";
import type { Limit } from "./figures.ts";
import type { Feed } from "./metrics-feed.ts";
import { createServerPlots } from "./plots.ts";
import { describeStatus } from "./status.ts";

export function createServerPanel(feed: Feed, page: PageAddress): void {
  const plots = createServerPlots(byId("server-plots", HTMLDivElement));
  const panel = byId("server", HTMLElement);
  const badge = byId("server-status", HTMLParagraphElement);
  const message = byId("server-message", HTMLDivElement);
  const name = byId("server-name", HTMLParagraphElement);
  name.textContent = page.host;
  let limitsShown = "";

  feed.listen((status) => {
    const words = describeStatus(status, page);
    badge.textContent = words.badge;
    badge.dataset["status"] = words.state;
    message.hidden = words.message === "";
    byId("server-message-text", HTMLParagraphElement).textContent = words.message;
    panel.classList.toggle("stale", status.kind !== "live");
    if (status.kind !== "live") {
      plots.gap(performance.now());
      return;
    }
    const { reading, rates } = status;
    plots.add(reading, rates);
    name.textContent = reading.version === undefined ? page.host : `${page.host}, version ${reading.version}`;
    const limits = JSON.stringify(reading.limits);
    if (limits !== limitsShown) {
      showLimits(reading.limits);
    }
    limitsShown = limits;
  });
  byId("server-retry", HTMLButtonElement).addEventListener("click", () => feed.readNow());
}

/** The option of each limit gauge, which the build writes into the page. */
function readOptionNames(): ReadonlyMap<string, string> {
  const text = byId("limit-options", HTMLScriptElement).textContent;
  return new Map(Object.entries(JSON.parse(text) as Record<string, string>));
}

function showLimits(limits: readonly Limit[]): void {
  const options = readOptionNames();
  const rows = limits.map((limit) => {
    const option = options.get(limit.gauge);
    const name = make("th", "", option === undefined ? limit.name : make("code", "", option));
    name.scope = "row";
    return make("tr", "", name, make("td", "", writeLimit(limit)));
  });
  byId("server-limits", HTMLTableSectionElement).replaceChildren(...rows);
  byId("server-limits-empty", HTMLParagraphElement).hidden = rows.length > 0;
}

/** Formats a limit; 0 means "no limit" for every limit of the server. */
function writeLimit(limit: Limit): string {
  if (limit.value === 0) {
    return "off";
  }
  if (limit.unit === "bytes") {
    return formatBytes(limit.value);
  }
  return limit.unit === "seconds" ? formatElapsed(limit.value * 1000) : formatNumber(limit.value);
}
