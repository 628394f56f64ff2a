import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("../../../src/web/styles/tokens.css", import.meta.url), "utf8");

/** The colours of the light part, and those of the dark part over them. */
function palettes(): Record<"light" | "dark", Map<string, string>> {
  const [light = "", dark = ""] = css.split("@media (prefers-color-scheme: dark)");
  const read = (text: string) =>
    [...text.matchAll(/(--[\w-]+):\s*(#[0-9a-f]{6});/gi)].map(
      ([, name = "", color = ""]) => [name, color] as const,
    );
  return { light: new Map(read(light)), dark: new Map([...read(light), ...read(dark)]) };
}

/** WCAG 2.2: relative luminance and contrast ratio. */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(left: string, right: string): number {
  const [low = 0, high = 0] = [luminance(left), luminance(right)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const textPairs = [
  ...["--ink", "--muted"].flatMap((text) =>
    ["--canvas", "--surface", "--sunken"].map((ground) => [text, ground] as const),
  ),
  ["--accent", "--tint"],
  ["--on-accent", "--accent"],
  ["--on-accent", "--accent-hover"],
  ["--sent", "--surface"],
  ["--sent", "--canvas"],
  ["--received", "--surface"],
  ["--received", "--canvas"],
  ["--surface", "--received"],
  ["--error", "--surface"],
  ["--error", "--canvas"],
  ["--error", "--error-tint"],
] as const;

/** What is no text but must be seen: WCAG 2.2, 1.4.11. */
const edgePairs = [
  ["--edge", "--surface"],
  ["--accent", "--surface"],
  ["--accent", "--canvas"],
  ["--plot-a", "--surface"],
  ["--plot-b", "--surface"],
  ["--plot-c", "--surface"],
] as const;

for (const [theme, colors] of Object.entries(palettes())) {
  test(`in the ${theme} theme, text has a contrast of 4.5 and edges have 3`, () => {
    const check = (pairs: readonly (readonly [string, string])[], least: number) => {
      for (const [front, back] of pairs) {
        const ratio = contrast(
          colors.get(front) ?? assert.fail(front),
          colors.get(back) ?? assert.fail(back),
        );
        assert.ok(ratio >= least, `${front} on ${back}: ${ratio.toFixed(2)}`);
      }
    };
    check(textPairs, 4.5);
    check(edgePairs, 3);
  });
}
