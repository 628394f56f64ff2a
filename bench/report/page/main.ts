// The script of the HTML reports: draws the plots, and says which tables are wider than they are shown.

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

// Paper is white whatever the theme of the screen, and canvases keep the ink that they were drawn with.
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
