// The composer: edits and checks a message, with history, variables and repeat.

import { formatBytes } from "../../lib/format.ts";
import { wireDivider } from "../ui/divider.ts";
import { byId, checkedValue } from "../ui/dom.ts";
import { recall, remember } from "../ui/storage.ts";
import {
  type ComposerMode,
  composePayload,
  type MessageData,
  type PayloadResult,
  payloadBytes,
} from "../websocket/payload.ts";
import { createFileChooser } from "./file-chooser.ts";
import { createHistory, type Draft, readDrafts } from "./history.ts";
import { wireHistoryMenu } from "./history-menu.ts";
import { createRepeat } from "./repeat.ts";
import { expandVariables } from "./variables.ts";

export interface Composer {
  /** Updates the send button for a readyState; a closing connection stops repeating. */
  setReadyState(readyState: number): void;
  /** Sets the server's largest message in bytes, once known; larger drafts get a warning. */
  setMaxPayload(bytes: number | undefined): void;
  /** Puts a message into the composer. */
  show(draft: Draft): void;
  draft(): Draft;
}

const historyLength = 30;
const areaHeightPx = { min: 48, max: 480 };
const firstDrafts: Record<ComposerMode, string> = {
  text: "Hello from the browser",
  json: '{ "hello": "world" }',
  binary: "48 65 6c 6c 6f",
};

/**
 * @param send sends one checked payload; returns false if the connection cannot send now
 * @param sentByHand called after Send, not for each repetition
 */
export function createComposer(send: (data: MessageData) => boolean, sentByHand: () => void): Composer {
  const form = byId("composer", HTMLFormElement);
  const area = byId("message", HTMLTextAreaElement);
  const sendButton = byId("send", HTMLButtonElement);
  const history = createHistory(historyLength, readDrafts(recall("history")));
  const drafts = { ...firstDrafts };
  let mode: ComposerMode = "text";
  let maxPayload: number | undefined;
  let readyState: number = WebSocket.CLOSED;
  let counter = 0;
  const file = createFileChooser(check);
  const repeat = createRepeat(() => readyState === WebSocket.CONNECTING || sendNow());
  const storeHistory = () => remember("history", history.drafts());
  const draft = (): Draft => ({ mode, typed: area.value });

  function read(typed: string): PayloadResult {
    return (mode === "binary" ? file.payload() : undefined) ?? composePayload(mode, typed);
  }

  function check(): void {
    const result = read(area.value);
    showVerdict(result, maxPayload);
    area.hidden = mode === "binary" && file.payload() !== undefined;
    sendButton.disabled =
      "problem" in result || readyState === WebSocket.CLOSING || readyState === WebSocket.CONNECTING;
  }

  function sendNow(): boolean {
    const expanded = expandVariables(area.value, {
      counter: () => ++counter,
      now: () => new Date(),
      uuid: randomUuid,
    });
    const result = read(expanded);
    if ("problem" in result || sendButton.disabled || !send(result.data)) {
      return false;
    }
    if (mode !== "binary" || file.payload() === undefined) {
      history.remember(draft());
      storeHistory();
    }
    return true;
  }

  const sendByHand = () => sendNow() && sentByHand();

  function show({ mode: next, typed }: Draft): void {
    mode = next;
    drafts[mode] = typed;
    area.value = typed;
    for (const radio of form.querySelectorAll<HTMLInputElement>('input[name="mode"]')) {
      radio.checked = radio.value === mode;
    }
    byId("file-label", HTMLLabelElement).hidden = mode !== "binary";
    area.placeholder = mode === "binary" ? "Hexadecimal bytes, for example 48 65 6c 6c 6f" : "";
    file.show(mode === "binary");
    check();
  }

  form.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.name === "mode") {
      drafts[mode] = area.value;
      const next = readMode(checkedValue(form, "mode"));
      show({ mode: next, typed: drafts[next] });
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sendByHand();
  });
  area.addEventListener("input", check);
  onShortcut(area, sendByHand, (step) => {
    const older = history.step(step);
    if (older !== undefined) {
      show(older);
    }
  });
  wireHistoryMenu({ history, choose: show, current: draft, changed: storeHistory });
  wireAreaHeight(area);
  show({ mode: "text", typed: drafts.text });

  return {
    setReadyState(next) {
      if (next !== readyState) {
        if (next >= WebSocket.CLOSING) {
          repeat.stop();
        }
        readyState = next;
        byId("send-label", HTMLSpanElement).textContent =
          next === WebSocket.CLOSED ? "Connect and send" : "Send";
        check();
      }
    },
    setMaxPayload(bytes) {
      if (bytes !== maxPayload) {
        maxPayload = bytes;
        check();
      }
    },
    show,
    draft,
  };
}

function showVerdict(result: PayloadResult, maxPayload: number | undefined): void {
  const area = byId("message", HTMLTextAreaElement);
  const note = byId("message-note", HTMLParagraphElement);
  const tooLarge = "data" in result && maxPayload !== undefined && payloadBytes(result.data) > maxPayload;
  note.textContent = tooLarge
    ? `${formatBytes(payloadBytes(result.data))}, over the server's limit of ${formatBytes(maxPayload ?? 0)}: it will drop the connection.`
    : describe(result);
  note.classList.toggle("problem", "problem" in result || tooLarge);
  if ("problem" in result) {
    area.setAttribute("aria-invalid", "true");
  } else {
    area.removeAttribute("aria-invalid");
  }
}

function wireAreaHeight(area: HTMLTextAreaElement): void {
  const resize = (heightPx: number) => {
    area.style.height = `${heightPx}px`;
    remember("composer-height", heightPx);
  };
  const stored = recall("composer-height");
  if (typeof stored === "number") {
    resize(Math.min(areaHeightPx.max, Math.max(areaHeightPx.min, stored)));
  }
  wireDivider(byId("divider", HTMLDivElement), { ...areaHeightPx, resize, height: () => area.offsetHeight });
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

/** crypto.randomUUID() exists only in secure contexts; this is version 4 of RFC 9562 anywhere. */
function randomUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [8, 12, 16, 20].reduceRight((text, at) => `${text.slice(0, at)}-${text.slice(at)}`, hex);
}

function describe(result: PayloadResult): string {
  if ("problem" in result) {
    return result.problem;
  }
  const size = formatBytes(payloadBytes(result.data));
  return typeof result.data === "string" ? `${size}, text` : `${size}, binary`;
}

function readMode(value: string): ComposerMode {
  return value === "json" || value === "binary" ? value : "text";
}
