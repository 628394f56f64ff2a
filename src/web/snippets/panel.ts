// The Snippets panel: one tab per language, with the URL of the target form.
import { copyWithFeedback } from "../ui/clipboard.ts";
import { byId, make } from "../ui/dom.ts";
import { choose, wireTabs } from "../ui/tabs.ts";
import { snippetsFor } from "./snippets.ts";

export interface SnippetsPanel {
  setUrl(url: string): void;
}

export function createSnippetsPanel(firstUrl: string): SnippetsPanel {
  const list = byId("snippet-tabs", HTMLDivElement);
  const copyButton = byId("snippet-copy", HTMLButtonElement);
  const code = byId("snippet-code", HTMLElement);
  let snippets = snippetsFor(firstUrl);
  let chosen = snippets[0]?.id;

  function show(): void {
    const snippet = snippets.find((one) => one.id === chosen);
    code.textContent = snippet?.code ?? "";
    byId("snippet-note", HTMLParagraphElement).textContent = snippet?.note ?? "";
  }

  function select(tab: HTMLElement): void {
    chosen = tab.dataset["snippet"];
    byId("snippet", HTMLDivElement).setAttribute("aria-labelledby", tab.id);
    show();
  }

  const tabs = snippets.map((snippet) => {
    const tab = make("button", "", snippet.title);
    tab.type = "button";
    tab.id = `snippet-${snippet.id}`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", "snippet");
    tab.dataset["snippet"] = snippet.id;
    return tab;
  });
  list.replaceChildren(...tabs);
  wireTabs(list, select);
  if (tabs[0] !== undefined) {
    choose(list, tabs[0], select);
  }
  copyButton.addEventListener("click", () => void copyWithFeedback(copyButton, code.textContent ?? ""));

  return {
    setUrl(url) {
      snippets = snippetsFor(url);
      show();
    },
  };
}
