// Copies to the clipboard and saves files, even outside a secure context.
import { make } from "./dom.ts";

/** Copies, and shows that on the button for a moment. */
export async function copyWithFeedback(button: HTMLButtonElement, text: string): Promise<void> {
  const label = button.textContent;
  button.textContent = (await copy(text)) ? "Copied" : "Press Ctrl+C";
  setTimeout(() => {
    button.textContent = label;
  }, 1500);
}

/** Offers the content as a download. */
export function save(fileName: string, content: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = make("a", "");
  link.href = url;
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

async function copy(text: string): Promise<boolean> {
  if (window.isSecureContext) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => copyBySelection(text),
    );
  }
  return copyBySelection(text);
}

// The asynchronous clipboard exists only on https:// and localhost; this also works over http://.
function copyBySelection(text: string): boolean {
  const area = make("textarea", "sr");
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}
