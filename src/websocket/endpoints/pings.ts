// /pings: sends pings, and a text with the round-trip time of each pong. Scripts in browsers cannot see either.
import { onDemand } from "./endpoint.ts";

export const pings = onDemand("pings", {
  open(session, { interval, count }) {
    let sent = 0;
    session.every(interval, () => {
      if (sent === count) {
        session.close(1000);
        return false;
      }
      const ping = ++sent;
      session.ping((rttMs) => session.push(JSON.stringify({ ping, rttMs: Math.round(rttMs * 1000) / 1000 })));
      return session.isOpen;
    });
    return {};
  },
});
