// /pings: pings, and the round trip of each pong as a text. Browsers cannot see either by themselves.
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
