// Builds HTML from templates, and escapes every inserted text.

import { escapeXml } from "./escape.ts";

/** HTML that is safe to insert. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Markup | readonly Markup[];

/** ``html`<p>${text}</p>` `` escapes texts, and inserts Markup unchanged. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return new Markup(
    strings.map((part, index) => (index === 0 ? part : `${render(values[index - 1])}${part}`)).join(""),
  );
}

/** Empty markup. */
export const none = new Markup("");

function render(value: Value | undefined): string {
  if (value === undefined) {
    return "";
  }
  if (value instanceof Markup) {
    return value.text;
  }
  return typeof value === "object" ? value.map(({ text }) => text).join("\n") : escapeXml(String(value));
}
