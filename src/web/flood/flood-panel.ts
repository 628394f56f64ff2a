// The Flood panel: its form, its live figures and its two charts.

import {
  formatBytes,
  formatCompact,
  formatDurationUs,
  formatElapsed,
  formatNumber,
} from "../../lib/format.ts";
import { byId, checkedValue, showProblem } from "../ui/dom.ts";
import type { Bar } from "../ui/histogram.ts";
import { type NumberResult, readWhole } from "../ui/numbers.ts";
import { countSteps, createBarPlot, createLinePlot } from "../ui/plots.ts";
import { explainClose } from "../websocket/close-codes.ts";
import { syntheticPayload } from "../websocket/payload.ts";
import type { TargetResult } from "../websocket/target.ts";
import { type Flood, type FloodPlan, type FloodProgress, startFlood } from "./flood.ts";

const planBounds = {
  messages: { min: 1, max: 100_000_000 },
  seconds: { min: 1, max: 3600 },
  sizeBytes: { min: 0, max: 64 * 1024 * 1024 },
  depth: { min: 1, max: 10_000 },
};
/** Limit of messages in flight times size, which browser and server together may have to buffer. */
const maxInFlightBytes = 256 * 1024 * 1024;
const drawMs = 200;
const chartHeight = 150;

export function createFloodPanel(target: () => TargetResult): void {
  const form = byId("flood-form", HTMLFormElement);
  const start = byId("flood-start", HTMLButtonElement);
  const problem = byId("flood-problem", HTMLParagraphElement);
  const charts = createCharts();
  let running: { readonly flood: Flood; readonly stop: () => void } | undefined;

  wireStopChoice(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (running !== undefined) {
      running.flood.stop();
      return;
    }
    const plan = readPlan(form);
    const where = target();
    showProblem(
      problem,
      undefined,
      "problem" in plan ? plan.problem : "problem" in where ? where.problem : undefined,
    );
    if ("problem" in plan || "problem" in where) {
      return;
    }
    const socket = new WebSocket(where.url, [...where.protocols]);
    socket.binaryType = "arraybuffer";
    const flood = startFlood(plan, socket, () => performance.now());
    socket.onopen = () => flood.opened();
    socket.onmessage = (event) => flood.received(event.data);
    socket.onclose = (event) => flood.closed(event.code);
    charts.clear();
    setButton("Stop");
    const timer = setInterval(draw, drawMs);
    const stop = () => clearInterval(timer);
    running = { flood, stop };

    function draw(): void {
      flood.tick();
      const progress = flood.progress();
      showFigures(progress, plan as FloodPlan);
      charts.add(progress);
      if (progress.end === "running") {
        return;
      }
      running?.stop();
      running = undefined;
      setButton("Start");
    }
  });

  function setButton(label: "Start" | "Stop"): void {
    start.textContent = label;
    start.classList.toggle("primary", label === "Start");
    start.classList.toggle("danger", label === "Stop");
  }
}

function readPlan(form: HTMLFormElement): FloodPlan | { readonly problem: string } {
  const bySeconds = checkedValue(form, "flood-stop") === "seconds";
  const amount = bySeconds
    ? readField("Seconds", "flood-amount", planBounds.seconds)
    : readField("Messages", "flood-amount", planBounds.messages);
  const size = readField("Size", "flood-size", planBounds.sizeBytes);
  const depth = readField("In flight", "flood-depth", planBounds.depth);
  const problems = [amount, size, depth].flatMap((result) => ("problem" in result ? [result.problem] : []));
  if ("problem" in amount || "problem" in size || "problem" in depth) {
    return { problem: problems.join(" ") };
  }
  if (size.value * depth.value > maxInFlightBytes) {
    return {
      problem: `Size times in flight is ${formatBytes(size.value * depth.value)}; this page keeps it under ${formatBytes(maxInFlightBytes)}.`,
    };
  }
  const type = byId("flood-type", HTMLSelectElement).value === "binary" ? "binary" : "text";
  return {
    payload: syntheticPayload(type, size.value),
    depth: depth.value,
    stopAfter: bySeconds ? { seconds: amount.value } : { messages: amount.value },
  };
}

function readField(
  what: string,
  id: string,
  bounds: { readonly min: number; readonly max: number },
): NumberResult {
  const field = byId(id, HTMLInputElement);
  const result = readWhole(what, field.value, bounds);
  if ("problem" in result) {
    field.setAttribute("aria-invalid", "true");
  } else {
    field.removeAttribute("aria-invalid");
  }
  return result;
}

function wireStopChoice(form: HTMLFormElement): void {
  const amount = byId("flood-amount", HTMLInputElement);
  const amounts: Record<string, string> = { messages: amount.value, seconds: "10" };
  let chosen = "messages";
  form.addEventListener("change", (event) => {
    if (!(event.target instanceof HTMLInputElement) || event.target.name !== "flood-stop") {
      return;
    }
    amounts[chosen] = amount.value;
    chosen = event.target.value;
    amount.value = amounts[chosen] ?? "";
    byId("flood-amount-label", HTMLSpanElement).textContent = chosen === "seconds" ? "Seconds" : "Messages";
  });
}

function showFigures(progress: FloodProgress, plan: FloodPlan): void {
  const write = (id: string, text: string) => {
    byId(id, HTMLElement).textContent = text;
  };
  const { histogram, elapsedMs, echoed } = progress;
  const latency = (us: number) => (echoed === 0 ? "–" : formatDurationUs(us));
  write("flood-rate", elapsedMs === 0 ? "–" : formatCompact((echoed * 1000) / elapsedMs));
  write("flood-p50", latency(histogram.valueAt(0.5)));
  write("flood-p99", latency(histogram.valueAt(0.99)));
  write("flood-max", latency(histogram.max()));
  const planned = "messages" in plan.stopAfter ? ` of ${formatNumber(plan.stopAfter.messages)}` : "";
  write("flood-echoes", `${formatNumber(echoed)}${planned}`);
  const share =
    "messages" in plan.stopAfter
      ? echoed / plan.stopAfter.messages
      : elapsedMs / (plan.stopAfter.seconds * 1000);
  const done = progress.end === "done" ? 1 : Math.min(1, share);
  byId("flood-progress", HTMLProgressElement).value = done;
  write("flood-percent", `${Math.floor(done * 100)} %`);
  write("flood-note", `${endSentence(progress)} ${clockSentence()}`);
}

function endSentence(progress: FloodProgress): string {
  const lost = progress.sent - progress.echoed;
  const wrong =
    progress.wrong === 0
      ? ""
      : ` ${formatNumber(progress.wrong)} had another length or type: the server does not echo.`;
  switch (progress.end) {
    case "running":
      return `Running; ${formatNumber(lost)} in flight.${wrong}`;
    case "done":
      return `Done: ${formatNumber(progress.echoed)} of ${formatNumber(progress.sent)} echoed in ${formatElapsed(progress.elapsedMs)}.${wrong}`;
    case "stopped":
      return `Stopped by you after ${formatElapsed(progress.elapsedMs)}, with ${formatNumber(lost)} in flight.${wrong}`;
    case "stalled":
      return `Stalled: no echo for 10 s, ${formatNumber(lost)} messages never came back.${wrong}`;
    case "closed": {
      const code = progress.closeCode ?? 1006;
      const { name, sentence } = explainClose({
        code,
        opened: progress.sent > 0,
        url: byId("url", HTMLInputElement).value,
      });
      return `Closed with ${code} ${name}, ${formatNumber(lost)} in flight. ${sentence}`;
    }
  }
}

function clockSentence(): string {
  const resolution = window.crossOriginIsolated ? "5 us" : "0.1 ms";
  return `The resolution of the browser's clock is ${resolution}. A browser reaches its limit long before the server; to measure the server, use uws-echo-bench.`;
}

interface Charts {
  clear(): void;
  add(progress: FloodProgress): void;
}

function createCharts(): Charts {
  let bars: Bar[] = [];
  let times: number[] = [];
  let rates: number[] = [];
  let before = { elapsedMs: 0, echoed: 0 };
  const rateChart = createLinePlot(byId("flood-rate-chart", HTMLDivElement), {
    height: chartHeight,
    colors: ["--plot-a"],
    format: formatCompact,
    stepsX: [0.5, ...countSteps],
    formatX: (seconds) => `${formatCompact(seconds)} s`,
    atLeast: 10,
    hovered: (at) => {
      const rate = at === undefined ? undefined : rates[at];
      byId("flood-rate-at", HTMLOutputElement).value =
        rate === undefined ? "" : `${formatCompact(rate)} at ${formatCompact(times[at ?? 0] ?? 0)} s`;
    },
  });
  const latencyChart = createBarPlot(byId("flood-latency-chart", HTMLDivElement), {
    height: chartHeight,
    label: (at) => formatDurationUs(bars[at]?.fromUs ?? 0),
    hovered: (at) => {
      const bar = at === undefined ? undefined : bars[at];
      byId("flood-latency-at", HTMLOutputElement).value =
        bar === undefined
          ? ""
          : `${formatNumber(bar.count)} from ${formatDurationUs(bar.fromUs)} to ${formatDurationUs(bar.toUs)}`;
    },
  });
  return {
    clear() {
      times = [];
      rates = [];
      before = { elapsedMs: 0, echoed: 0 };
    },
    add(progress) {
      const seconds = (progress.elapsedMs - before.elapsedMs) / 1000;
      // The last interval of a flood can be too short for a rate.
      if (seconds > drawMs / 2000) {
        times.push(progress.elapsedMs / 1000);
        rates.push((progress.echoed - before.echoed) / seconds);
        before = { elapsedMs: progress.elapsedMs, echoed: progress.echoed };
      }
      rateChart.setData([times, rates]);
      bars = progress.histogram.bars();
      latencyChart.setData([bars.map((_, at) => at), bars.map((bar) => bar.count)]);
    },
  };
}
