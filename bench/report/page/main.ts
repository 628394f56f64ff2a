// The script of the HTML reports: draws the plots, and marks the tables that scroll.

import type { Plot } from "../frame/page.ts";
import { addPlot } from "./plot.ts";

const plots = JSON.parse(document.getElementById("plots")?.textContent ?? "[]") as readonly Plot[];
const redraws = [...document.querySelectorAll<HTMLElement>(".plot")].flatMap((place) => {
  const plot = plots[Number(place.dataset["plot"])];
  return plot === undefined ? [] : [addPlot(place, plot)];
});

function redrawAll(): void {
  for (const redraw of redraws) {
    redraw();
  }
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);

// Paper is white in any theme, and a canvas keeps its colours, so print redraws the plots in light colours.
addEventListener("beforeprint", () => {
  document.documentElement.classList.add("printed");
  redrawAll();
});
addEventListener("afterprint", () => {
  document.documentElement.classList.remove("printed");
  redrawAll();
});

const hints = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    target.parentElement?.classList.toggle("overflows", target.scrollWidth > target.clientWidth + 1);
  }
});
for (const scroll of document.querySelectorAll(".scroll")) {
  hints.observe(scroll);
}
