// The entry of the page: creates and connects its parts.

import { createConsole } from "./console/console.ts";
import { type DeepLink, readDeepLink, writeDeepLink } from "./console/deep-link.ts";
import { createPicker } from "./endpoints/picker.ts";
import { createFloodPanel } from "./flood/flood-panel.ts";
import { createOverrunPanel } from "./flood/overrun-panel.ts";
import { createFeed } from "./server/metrics-feed.ts";
import { createServerPanel } from "./server/panel.ts";
import { createSnippetsPanel } from "./snippets/panel.ts";
import { createAnnouncer } from "./ui/announcer.ts";
import { copyWithFeedback } from "./ui/clipboard.ts";
import { byId, showProblem } from "./ui/dom.ts";
import { recall, recallText, remember } from "./ui/storage.ts";
import { choose, wireTabs } from "./ui/tabs.ts";
import { wireTheme } from "./ui/theme.ts";
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
  const panels = ["console", "flood", "overrun", "snippets"].map((id) => byId(id, HTMLElement));
  const server = byId("server", HTMLElement);
  const select = (tab: HTMLElement) => {
    const shown = tab.getAttribute("aria-controls");
    for (const panel of panels) {
      panel.hidden = panel.id !== shown;
    }
    server.classList.toggle("selected", shown === "server");
  };
  wireTabs(list, select);
  // On a wide page the server has a column instead of a tab.
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

function restore(): DeepLink {
  const link = readDeepLink(location.hash, defaultUrl(location));
  urlField.value = link.url ?? recallText("url", defaultUrl(location));
  protocolsField.value = link.protocols ?? recallText("protocols", "");
  byId("reconnect", HTMLInputElement).checked = recall("reconnect") === true;
  return link;
}

function wireHelp(): void {
  const help = byId("help", HTMLDialogElement);
  byId("help-open", HTMLButtonElement).addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    const isTyping =
      event.target instanceof Element && event.target.closest("input, textarea, select") !== null;
    if (event.key === "?" && !isTyping && !help.open) {
      help.showModal();
    }
  });
}

wireTheme();
wireHelp();
const link = restore();
wirePanels();

const announcer = createAnnouncer((sentence) => {
  byId("announcer", HTMLParagraphElement).textContent = sentence;
});
const feed = createFeed(() => metricsUrl(location, urlField.value));
const console = createConsole(target, announcer, feed.readNow);
const snippets = createSnippetsPanel(urlField.value);
createPicker(defaultUrl(location));
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
    // A page without stored settings shows its own server.
    remember("url", result.url === defaultUrl(location) ? undefined : result.url);
  }
});
protocolsField.addEventListener("input", () => remember("protocols", protocolsField.value || undefined));
const copyLink = byId("copy-link", HTMLButtonElement);
copyLink.addEventListener("click", () => {
  const { mode, typed } = console.draft();
  const fragment = writeDeepLink({
    url: urlField.value,
    protocols: protocolsField.value,
    message: typed,
    mode,
  });
  void copyWithFeedback(copyLink, new URL(fragment, location.href).href);
});
if (link.message !== undefined) {
  console.show({ mode: link.mode ?? "text", typed: link.message });
}
if (link.connect) {
  console.connect();
}
