// Finds and creates elements, typed.

/** Returns the element with this id; throws if it is missing or of another type. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) {
    return found;
  }
  throw new Error(`The page has no ${type.name} with the id "${id}".`);
}

/** Creates an element with a class, and text or children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== "") {
    element.className = className;
  }
  element.append(...children);
  return element;
}

/** Shows a problem beside its field, or removes it if undefined. */
export function showProblem(
  place: HTMLElement,
  field: HTMLElement | undefined,
  problem: string | undefined,
): void {
  place.hidden = problem === undefined;
  place.textContent = problem ?? "";
  if (problem === undefined) {
    field?.removeAttribute("aria-invalid");
  } else {
    field?.setAttribute("aria-invalid", "true");
  }
}

/** The value of the checked radio button of a group inside a form. */
export function checkedValue(form: HTMLFormElement, group: string): string {
  const value = new FormData(form).get(group);
  return typeof value === "string" ? value : "";
}
