// The theme switch: the system's theme, light, or dark.
import { byId } from "./dom.ts";
import { recallText, remember } from "./storage.ts";

const themes = ["system", "light", "dark"] as const;
type Theme = (typeof themes)[number];
const labels: Readonly<Record<Theme, string>> = { system: "Auto", light: "Light", dark: "Dark" };

/** Fired on `document` when the colours have changed. */
export const themeChanged = "themechange";

export function wireTheme(): void {
  const button = byId("theme", HTMLButtonElement);
  let theme: Theme = themes.find((name) => name === recallText("theme", "system")) ?? "system";

  function show(): void {
    if (theme === "system") {
      delete document.documentElement.dataset["theme"];
    } else {
      document.documentElement.dataset["theme"] = theme;
    }
    button.textContent = labels[theme];
    button.setAttribute("aria-label", `Theme: ${labels[theme]}`);
    document.dispatchEvent(new Event(themeChanged));
  }

  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length] ?? "system";
    remember("theme", theme === "system" ? undefined : theme);
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    document.dispatchEvent(new Event(themeChanged)),
  );
  show();
}
