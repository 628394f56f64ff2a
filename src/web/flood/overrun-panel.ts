// The overrun mode of the Flood panel: its form, its figures and its chart.

import { formatBytes, formatNumber } from "../../lib/format.ts";
import type { Feed } from "../server/metrics-feed.ts";
import { byId, showProblem } from "../ui/dom.ts";
import { readWhole } from "../ui/numbers.ts";
import { binarySteps, createLinePlot } from "../ui/plots.ts";
import { syntheticPayload } from "../websocket/payload.ts";
import type { TargetResult } from "../websocket/target.ts";
import {
  canStayUnread,
  type Overrun,
  type OverrunPlan,
  overrunReading,
  overrunUnread,
  unreadMessageBytes,
} from "./overrun.ts";
import { describeOutcome, type OverrunProgress } from "./overrun-outcome.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const totalMib = { min: 1, max: 512 };
const messageKib = { min: 1, max: 16 * 1024 };
const drawMs = 100;
/** Interval at which the server's metrics are read meanwhile. */
const feedMs = 250;

export function createOverrunPanel(target: () => TargetResult, feed: Feed): void {
  const silent = byId("overrun-silent", HTMLInputElement);
  const button = byId("overrun-start", HTMLButtonElement);
  const problem = byId("overrun-problem", HTMLParagraphElement);
  const chart = createLinePlot(byId("overrun-chart", HTMLDivElement), {
    height: 150,
    colors: ["--plot-a", "--plot-b"],
    format: formatBytes,
    stepsX: [0.5, 1, 2, 5, 10, 20],
    stepsY: binarySteps,
    formatX: (seconds) => `${Number(seconds.toFixed(1))} s`,
    atLeast: mebibyte,
  });
  let running: Overrun | undefined;

  silent.addEventListener("change", () => {
    byId("overrun-size", HTMLInputElement).disabled = silent.checked;
    write(
      "overrun-note",
      silent.checked
        ? `Messages of ${formatBytes(unreadMessageBytes)}, about 4 MiB/s: watch the server's buffer fill.`
        : "",
    );
  });
  if (!canStayUnread()) {
    silent.disabled = true;
    byId("overrun-note", HTMLParagraphElement).textContent =
      "Leaving echoes unread needs WebSocketStream, which only Chromium has, on https and localhost.";
  }

  byId("overrun-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    if (running !== undefined) {
      running.stop();
      return;
    }
    const unread = silent.checked;
    const plan = readPlan(target(), unread);
    showProblem(problem, undefined, "problem" in plan ? plan.problem : undefined);
    if ("problem" in plan) {
      return;
    }
    running = unread ? overrunUnread(plan) : overrunReading(plan);
    button.textContent = "Stop";
    watch(running, plan, unread);
  });

  function watch(overrun: Overrun, plan: OverrunPlan, unread: boolean): void {
    const release = feed.hurry(feedMs);
    const dropsBefore = feed.latest()?.drops;
    const times: number[] = [];
    const here: number[] = [];
    const there: (number | null)[] = [];
    let serverPeak: number | undefined;
    write("overrun-outcome", "Running.");

    const timer = setInterval(() => {
      const progress = overrun.progress();
      const latest = feed.latest();
      if (latest?.bufferedBytes !== undefined) {
        serverPeak = Math.max(serverPeak ?? 0, latest.bufferedBytes);
      }
      times.push(progress.elapsedMs / 1000);
      here.push(progress.waitingBytes);
      there.push(latest?.bufferedBytes ?? null);
      chart.setData([times, here, there]);
      showFigures(progress, latest?.bufferedBytes);
      if (!progress.isOver) {
        return;
      }
      clearInterval(timer);
      running = undefined;
      button.textContent = "Overrun";
      // The next reading contains the last moments.
      setTimeout(() => {
        release();
        showFigures(progress, feed.latest()?.bufferedBytes);
        const dropsAfter = feed.latest()?.drops;
        const serverDrops =
          dropsBefore === undefined || dropsAfter === undefined ? undefined : dropsAfter - dropsBefore;
        write(
          "overrun-outcome",
          describeOutcome({
            progress,
            messages: plan.messages,
            unread,
            serverPeakBytes: serverPeak,
            serverDrops,
          }),
        );
      }, 2 * feedMs);
    }, drawMs);
  }
}

function readPlan(where: TargetResult, unread: boolean): OverrunPlan | { readonly problem: string } {
  if ("problem" in where) {
    return where;
  }
  const total = readWhole("The total in MiB", byId("overrun-total", HTMLInputElement).value, totalMib);
  const size = readWhole("The message in KiB", byId("overrun-size", HTMLInputElement).value, messageKib);
  if ("problem" in total) {
    return total;
  }
  if ("problem" in size) {
    return size;
  }
  const messageBytes = unread ? unreadMessageBytes : size.value * kibibyte;
  const messages = Math.max(1, Math.floor((total.value * mebibyte) / messageBytes));
  return { ...where, payload: syntheticPayload("binary", messageBytes), messageBytes, messages };
}

function showFigures(progress: OverrunProgress, serverBytes: number | undefined): void {
  write("overrun-buffered", formatBytes(progress.waitingBytes));
  write("overrun-peak", formatBytes(progress.peakBytes));
  write("overrun-server", serverBytes === undefined ? "unknown" : formatBytes(serverBytes));
  write("overrun-echoed", `${formatNumber(progress.echoed)} of ${formatNumber(progress.sent)}`);
}

function write(id: string, text: string): void {
  byId(id, HTMLElement).textContent = text;
}
