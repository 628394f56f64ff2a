// Chooses a file as a binary message.
import { formatBytes } from "../../lib/format.ts";
import { byId } from "../ui/dom.ts";
import type { PayloadResult } from "../websocket/payload.ts";

const maxFileBytes = 256 * 1024 * 1024;

export interface FileChooser {
  /** The file's bytes, or a problem; undefined if none is chosen. */
  payload(): PayloadResult | undefined;
  show(visible: boolean): void;
}

export function createFileChooser(changed: () => void): FileChooser {
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
