// Detects whether the machine was busy with something else during the measurement.

import { formatNumber, formatPercent } from "../../src/lib/format.ts";
import type { Measurement } from "./schema.ts";

/** Thresholds of the warning, in per cent of all cores or of the window. */
const limits = { otherPercent: 10, stealPercent: 2, waitedPercent: 10, pressurePercent: 40 };
/** Runnable processes for each core. */
const crowdedLoad = 1.5;

/** A warning with all signs; null if there is none. */
export function noiseWarning(measurement: Measurement): string | null {
  const signs = [...machineSigns(measurement), ...waitSigns(measurement)].filter((sign) => sign !== null);
  return signs.length === 0
    ? null
    : `The machine was busy with something else (${signs.join("; ")}): expect other figures next time.`;
}

function machineSigns({ machine, client, server, target }: Measurement): (string | null)[] {
  if (machine === null) {
    return [];
  }
  const { loadAverage, cores, busyPercent, stealPercent, pressurePercent } = machine;
  // A remote server uses no CPU here; a local one with unknown use may account for all the rest.
  const ofServer = target.local ? (server?.cpuPercent ?? null) : 0;
  const other =
    busyPercent === null || ofServer === null ? null : (busyPercent - client.cpuPercent - ofServer) / cores;
  const own = (client.cpuPercent + (ofServer ?? 0)) / 100;
  return [
    other !== null && other > limits.otherPercent
      ? `${formatPercent(other)} of its CPU went neither to generator nor target`
      : null,
    stealPercent !== null && stealPercent / cores > limits.stealPercent
      ? `the hypervisor took ${formatPercent(stealPercent / cores)}`
      : null,
    loadAverage > Math.max(crowdedLoad * cores, own + cores)
      ? `load average ${formatNumber(loadAverage)} on ${cores} cores`
      : null,
    pressurePercent !== null &&
    pressurePercent > limits.pressurePercent &&
    (other ?? 100) > limits.otherPercent / 2
      ? `something waited for a CPU ${formatPercent(pressurePercent)} of the time`
      : null,
  ];
}

function waitSigns({ client, server }: Measurement): (string | null)[] {
  const waited = (who: string, percent: number | null | undefined): string | null =>
    percent != null && percent > limits.waitedPercent
      ? `the ${who} waited for a CPU ${formatPercent(percent)} of the time`
      : null;
  return [waited("generator", client.waitedPercent), waited("target", server?.waitedPercent)];
}
