// /ticks: sends numbered and timed messages at an interval.
import { bump, slot } from "../../metrics/counters.ts";
import { onDemand } from "./endpoint.ts";

export const ticks = onDemand("ticks", {
  open(session, { interval, count, size = 0, type, burst }) {
    let number = 0;
    session.every(interval, () => {
      for (let i = 0; i < burst && number !== count; i++) {
        number++;
        // Skipped messages are numbered too, so that a client notices them.
        if (session.isBehind) {
          bump(session.parts.stats, slot.ticksSkipped);
        } else {
          const text = JSON.stringify({ tick: number, time: new Date().toISOString() }).padEnd(size);
          session.push(type === "binary" ? Buffer.from(text) : text, type === "binary");
        }
        if (!session.isOpen) {
          return false;
        }
      }
      if (number === count) {
        session.close(1000);
        return false;
      }
      return true;
    });
    return {};
  },
});
