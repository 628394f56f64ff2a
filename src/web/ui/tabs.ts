// Tab lists as in the ARIA practices: arrows, Home and End move; only the chosen tab is in the tab order.

/** Wires the buttons of a tab list. `select` is called with the chosen button. */
export function wireTabs(list: HTMLElement, select: (tab: HTMLElement) => void): void {
  const tabs = () =>
    [...list.querySelectorAll<HTMLElement>('[role="tab"]')].filter((tab) => tab.offsetParent !== null);
  list.addEventListener("click", (event) => {
    const tab = event.target instanceof Element ? event.target.closest<HTMLElement>('[role="tab"]') : null;
    if (tab !== null) {
      choose(list, tab, select);
    }
  });
  list.addEventListener("keydown", (event) => {
    const all = tabs();
    const at = all.findIndex((tab) => tab.matches(":focus"));
    const next = all[indexAfter(event.key, at, all.length)];
    if (next === undefined) {
      return;
    }
    event.preventDefault();
    choose(list, next, select);
    next.focus();
  });
}

/** Marks one tab as chosen and calls `select`. */
export function choose(list: HTMLElement, chosen: HTMLElement, select: (tab: HTMLElement) => void): void {
  for (const tab of list.querySelectorAll<HTMLElement>('[role="tab"]')) {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
  }
  select(chosen);
}

function indexAfter(key: string, at: number, length: number): number {
  if (key === "ArrowRight") {
    return (at + 1) % length;
  }
  if (key === "ArrowLeft") {
    return (at - 1 + length) % length;
  }
  if (key === "Home") {
    return 0;
  }
  return key === "End" ? length - 1 : -1;
}
