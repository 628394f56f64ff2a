// Sends at an interval, until stopped or until sending fails.
import { byId } from "../ui/dom.ts";
import { readWhole } from "../ui/numbers.ts";

export interface Repeat {
  stop(): void;
}

const intervalMs = { min: 10, max: 3_600_000 };

/** @param send sends once; returning false stops the repetition */
export function createRepeat(send: () => boolean): Repeat {
  const button = byId("repeat", HTMLButtonElement);
  const field = byId("repeat-ms", HTMLInputElement);
  let timer: ReturnType<typeof setInterval> | undefined;

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    button.setAttribute("aria-pressed", "false");
    button.textContent = "Repeat";
  }

  button.addEventListener("click", () => {
    if (timer !== undefined) {
      stop();
      return;
    }
    const interval = readWhole("The interval in ms", field.value, intervalMs);
    field.toggleAttribute("aria-invalid", "problem" in interval);
    field.setCustomValidity("problem" in interval ? interval.problem : "");
    if ("problem" in interval) {
      field.setAttribute("aria-invalid", "true");
      field.reportValidity();
      return;
    }
    timer = setInterval(() => {
      if (!send()) {
        stop();
      }
    }, interval.value);
    button.setAttribute("aria-pressed", "true");
    button.textContent = "Stop";
    send();
  });
  field.addEventListener("input", () => field.setCustomValidity(""));
  return { stop };
}
