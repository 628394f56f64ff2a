// The page's entry: makes the parts and joins them. Reads as the table of contents of src/web.

import { createConsole } from "./console/console.ts";
import { createFloodPanel } from "./flood/flood-panel.ts";
import { createOverrunPanel } from "./flood/overrun-panel.ts";
import { createFeed } from "./server/metrics-feed.ts";
import { createServerPanel } from "./server/panel.ts";
import { createSnippetsPanel } from "./snippets/panel.ts";
import { createAnnouncer } from "./ui/announcer.ts";
import { byId, showProblem } from "./ui/dom.ts";
import { choose, wireTabs } from "./ui/tabs.ts";
import { defaultUrl, metricsUrl, readTarget, type TargetResult } from "./websocket/target.ts";

const wideSize = matchMedia("(min-width: 1080px)");
const urlField = byId("url", HTMLInputElement);
const protocolsField = byId("subprotocols", HTMLInputElement);

function target(): TargetResult {
  const result = readTarget(location, urlField.value, protocolsField.value);
  showProblem(
    byId("url-problem", HTMLParagraphElement),
    urlField,
    "problem" in result ? result.problem : undefined,
  );
  return result;
}

function wirePanels(): void {
  const list = document.querySelector<HTMLElement>(".tabs");
  if (list === null) {
    return;
  }
  const panels = ["console", "flood", "snippets"].map((id) => byId(id, HTMLElement));
  const server = byId("server", HTMLElement);
  const select = (tab: HTMLElement) => {
    const shown = tab.getAttribute("aria-controls");
    for (const panel of panels) {
      panel.hidden = panel.id !== shown;
    }
    server.classList.toggle("selected", shown === "server");
  };
  wireTabs(list, select);
  // On a wide page the server has a column of its own, and no tab.
  const adapt = () => {
    if (wideSize.matches && server.classList.contains("selected")) {
      choose(list, byId("tab-console", HTMLButtonElement), select);
    }
    if (wideSize.matches) {
      server.removeAttribute("role");
    } else {
      server.setAttribute("role", "tabpanel");
    }
  };
  wideSize.addEventListener("change", adapt);
  adapt();
}

urlField.value = defaultUrl(location);
wirePanels();

const announcer = createAnnouncer((sentence) => {
  byId("announcer", HTMLParagraphElement).textContent = sentence;
});
const feed = createFeed(() => metricsUrl(location, urlField.value));
const console = createConsole(target, announcer);
const snippets = createSnippetsPanel(urlField.value);
createFloodPanel(target);
createOverrunPanel(target, feed);
createServerPanel(feed, location);

feed.listen((status) => {
  if (status.kind === "live") {
    console.setMaxPayload(status.reading.limits.find((limit) => limit.name === "payload")?.value);
  }
});
urlField.addEventListener("input", () => {
  const result = target();
  if ("url" in result) {
    snippets.setUrl(result.url);
  }
});
