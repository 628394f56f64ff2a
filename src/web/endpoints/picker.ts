// Builds a URL from an endpoint on demand and its parameters.
import { type BehaviourName, behaviours } from "../../lib/behaviours.ts";
import type { Parameter, Parameters } from "../../lib/parameter.ts";
import { displayPath } from "../../lib/path-pattern.ts";
import { copyWithFeedback } from "../ui/clipboard.ts";
import { byId, make, showProblem } from "../ui/dom.ts";
import { behaviourEntries, problemsOf, readAsked, writeAsked } from "../websocket/asked.ts";

/** @param fallback a URL of this server, for an empty URL field */
export function createPicker(fallback: string): void {
  const url = byId("url", HTMLInputElement);
  const choice = byId("endpoint", HTMLSelectElement);
  const fields = byId("endpoint-fields", HTMLDivElement);
  const copyButton = byId("endpoint-copy", HTMLButtonElement);
  let shown: BehaviourName | undefined;
  let isWriting = false;

  for (const [name, { path, via }] of behaviourEntries) {
    // A WebSocket cannot reach endpoints that exist only over HTTP.
    if ((via as readonly string[]).includes("websocket")) {
      choice.append(new Option(displayPath(path), name));
    }
  }

  function show(name: BehaviourName, values: ReadonlyMap<string, string>): void {
    shown = name;
    choice.value = name;
    const { summary, segments, parameters } = behaviours[name];
    byId("endpoint-summary", HTMLParagraphElement).textContent =
      `${summary}.${"isUnsafe" in behaviours[name] ? " The server needs --endpoints all." : ""}`;
    const known: Parameters = { ...segments, ...parameters };
    fields.replaceChildren(
      ...Object.entries(known).map(([key, parameter]) => field(key, parameter, values.get(key))),
    );
  }

  function values(): Map<string, string> {
    const read = new Map<string, string>();
    for (const control of fields.querySelectorAll<HTMLInputElement | HTMLSelectElement>("[name]")) {
      const isFlag = control instanceof HTMLInputElement && control.type === "checkbox";
      read.set(control.name, isFlag ? String(control.checked) : control.value.trim());
    }
    return read;
  }

  function write(): void {
    if (shown === undefined) {
      return;
    }
    const asked = { name: shown, values: values() };
    const problems = problemsOf(asked);
    showProblem(
      byId("endpoint-problem", HTMLParagraphElement),
      undefined,
      problems.length === 0 ? undefined : problems.join(" "),
    );
    isWriting = true;
    url.value = writeAsked(URL.canParse(url.value) ? url.value : fallback, asked);
    url.dispatchEvent(new Event("input"));
    isWriting = false;
  }

  function follow(): void {
    const asked = isWriting ? undefined : readAsked(url.value);
    if (asked !== undefined && asked.name !== shown) {
      show(asked.name, asked.values);
    }
  }

  choice.addEventListener("change", () => {
    show(choice.value as BehaviourName, exampleSegments(choice.value as BehaviourName));
    write();
  });
  fields.addEventListener("input", write);
  url.addEventListener("input", follow);
  copyButton.addEventListener("click", () => void copyWithFeedback(copyButton, url.value));
  const first = readAsked(url.value);
  show(first?.name ?? "echo", first?.values ?? new Map());
}

/** The initial values of path segments, which are required. */
function exampleSegments(name: BehaviourName): ReadonlyMap<string, string> {
  const { segments }: { readonly segments: Parameters } = behaviours[name];
  return new Map(Object.entries(segments).map(([key, { example }]) => [key, example]));
}

function field(key: string, parameter: Parameter, value: string | undefined): HTMLElement {
  const help = make("small", "", parameter.help);
  if (parameter.kind === "flag") {
    const box = make("input", "");
    box.type = "checkbox";
    box.name = key;
    box.checked = value !== undefined && value !== "false";
    return make("label", "endpoint-field check", box, make("span", "", key), help);
  }
  if (parameter.kind === "choice") {
    const select = make("select", "");
    select.name = key;
    select.append(
      new Option(parameter.default ?? "–", ""),
      ...parameter.choices.filter((name) => name !== parameter.default).map((name) => new Option(name, name)),
    );
    select.value = value ?? "";
    return make("label", "endpoint-field", make("span", "", key), select, help);
  }
  const input = make("input", "");
  input.type = "text";
  input.name = key;
  input.value = value ?? "";
  input.placeholder = parameter.example;
  input.autocomplete = "off";
  input.spellcheck = false;
  return make("label", "endpoint-field", make("span", "", key), input, help);
}
