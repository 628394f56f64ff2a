// The composer: what is typed or chosen, checked as it changes; history; repeat. Knows no connection.

import { formatBytes } from "../../lib/format.ts";
import { byId, checkedValue, make } from "../ui/dom.ts";
import {
  type ComposerMode,
  composePayload,
  type MessageData,
  type PayloadResult,
  payloadBytes,
} from "../websocket/payload.ts";
import { createHistory, type Draft } from "./history.ts";
import { createRepeat } from "./repeat.ts";

export interface Composer {
  /** Follows readyState: what the send button says, whether it can be pressed; a closing connection ends repeating. */
  setReadyState(readyState: number): void;
  /** The server's largest message in octets, once known: a warning beyond it. */
  setMaxPayload(bytes: number | undefined): void;
}

const historyLength = 30;
const maxFileBytes = 256 * 1024 * 1024;
const firstDrafts: Record<ComposerMode, string> = {
  text: "Hello from the browser",
  json: '{ "hello": "world" }',
  binary: "48 65 6c 6c 6f",
};

/** @param send sends one checked payload; false means that the connection does not take it now */
export function createComposer(send: (data: MessageData) => boolean): Composer {
  const form = byId("composer", HTMLFormElement);
  const area = byId("message", HTMLTextAreaElement);
  const note = byId("message-note", HTMLParagraphElement);
  const sendButton = byId("send", HTMLButtonElement);
  const history = createHistory(historyLength);
  const drafts = { ...firstDrafts };
  let mode: ComposerMode = "text";
  let maxPayload: number | undefined;
  let readyState: number = WebSocket.CLOSED;
  const file = createFileChooser(check);
  const repeat = createRepeat(() => readyState === WebSocket.CONNECTING || sendNow());

  function read(): PayloadResult {
    return mode === "binary"
      ? (file.payload() ?? composePayload(mode, area.value))
      : composePayload(mode, area.value);
  }

  function check(): void {
    const result = read();
    const tooLarge = "data" in result && maxPayload !== undefined && payloadBytes(result.data) > maxPayload;
    note.textContent = tooLarge
      ? `${formatBytes(payloadBytes(result.data))}, over the server's limit of ${formatBytes(maxPayload ?? 0)}: it will drop the connection.`
      : describe(result);
    note.classList.toggle("problem", "problem" in result || tooLarge);
    area.toggleAttribute("aria-invalid", false);
    if ("problem" in result) {
      area.setAttribute("aria-invalid", "true");
    }
    area.hidden = mode === "binary" && file.payload() !== undefined;
    sendButton.disabled =
      "problem" in result || readyState === WebSocket.CLOSING || readyState === WebSocket.CONNECTING;
  }

  function sendNow(): boolean {
    const result = read();
    if ("problem" in result || sendButton.disabled || !send(result.data)) {
      return false;
    }
    if (mode !== "binary" || file.payload() === undefined) {
      history.remember({ mode, typed: area.value });
    }
    return true;
  }

  function show(draft: Draft): void {
    mode = draft.mode;
    drafts[mode] = draft.typed;
    area.value = draft.typed;
    for (const radio of form.querySelectorAll<HTMLInputElement>('input[name="mode"]')) {
      radio.checked = radio.value === mode;
    }
    byId("file-label", HTMLLabelElement).hidden = mode !== "binary";
    area.placeholder = mode === "binary" ? "Hexadecimal octets, for example 48 65 6c 6c 6f" : "";
    file.show(mode === "binary");
    check();
  }

  form.addEventListener("change", (event) => {
    if (!(event.target instanceof HTMLInputElement) || event.target.name !== "mode") {
      return;
    }
    drafts[mode] = area.value;
    const next = readMode(checkedValue(form, "mode"));
    show({ mode: next, typed: drafts[next] });
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sendNow();
  });
  area.addEventListener("input", check);
  onShortcut(area, sendNow, (step) => {
    const draft = history.step(step);
    if (draft !== undefined) {
      show(draft);
    }
  });
  wireHistoryMenu(() => history.drafts(), show);
  show({ mode: "text", typed: drafts.text });

  return {
    setReadyState(next) {
      if (next === readyState) {
        return;
      }
      if (next >= WebSocket.CLOSING) {
        repeat.stop();
      }
      readyState = next;
      byId("send-label", HTMLSpanElement).textContent =
        next === WebSocket.CLOSED ? "Connect and send" : "Send";
      check();
    },
    setMaxPayload(bytes) {
      if (bytes !== maxPayload) {
        maxPayload = bytes;
        check();
      }
    },
  };
}

/** Ctrl+Enter sends; Alt+Up and Alt+Down step through the history, 1 towards older messages. */
function onShortcut(area: HTMLTextAreaElement, send: () => void, step: (by: 1 | -1) => void): void {
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send();
    }
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      step(event.key === "ArrowUp" ? 1 : -1);
    }
  });
}

function describe(result: PayloadResult): string {
  if ("problem" in result) {
    return result.problem;
  }
  const size = formatBytes(payloadBytes(result.data));
  return typeof result.data === "string" ? `${size} in UTF-8, a text message` : `${size}, a binary message`;
}

function readMode(value: string): ComposerMode {
  return value === "json" || value === "binary" ? value : "text";
}

interface FileChooser {
  /** The file's octets, or a problem with it; undefined when none is chosen. */
  payload(): PayloadResult | undefined;
  show(visible: boolean): void;
}

function createFileChooser(changed: () => void): FileChooser {
  const input = byId("file", HTMLInputElement);
  const chip = byId("file-chip", HTMLParagraphElement);
  let payload: PayloadResult | undefined;
  let visible = false;

  async function choose(file: File): Promise<void> {
    payload =
      file.size > maxFileBytes
        ? {
            problem: `${file.name} has ${formatBytes(file.size)}; this page sends at most ${formatBytes(maxFileBytes)}.`,
          }
        : await file.arrayBuffer().then(
            (buffer) => ({ data: new Uint8Array(buffer) }),
            (error: unknown) => ({ problem: `${file.name} cannot be read: ${String(error)}` }),
          );
    byId("file-name", HTMLSpanElement).textContent = `${file.name}, ${formatBytes(file.size)}`;
    chip.hidden = !visible;
    changed();
  }

  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file !== undefined) {
      void choose(file);
    }
  });
  byId("file-remove", HTMLButtonElement).addEventListener("click", () => {
    payload = undefined;
    input.value = "";
    chip.hidden = true;
    changed();
  });
  return {
    payload: () => payload,
    show(next) {
      visible = next;
      chip.hidden = !visible || payload === undefined;
    },
  };
}

function wireHistoryMenu(drafts: () => readonly Draft[], choose: (draft: Draft) => void): void {
  const menu = byId("history", HTMLDetailsElement);
  const list = byId("history-list", HTMLDivElement);
  const close = () => {
    menu.open = false;
  };
  menu.addEventListener("toggle", () => {
    if (!menu.open) {
      return;
    }
    const items = drafts().map((draft) => {
      const item = make(
        "button",
        "",
        make("span", "", draft.typed || "(empty)"),
        make("span", "note", draft.mode),
      );
      item.type = "button";
      item.addEventListener("click", () => {
        choose(draft);
        close();
        byId("message", HTMLTextAreaElement).focus();
      });
      return item;
    });
    list.replaceChildren(
      ...(items.length > 0
        ? items
        : [make("p", "note", "Messages that you have sent appear here. Alt+↑ and Alt+↓ step through them.")]),
    );
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") {
      return;
    }
    close();
    menu.querySelector("summary")?.focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) {
      close();
    }
  });
}
