// /rooms/<name>: sends each message to all members. A room exists within one process.
import { refuse } from "../refusals.ts";
import { type OnDemand, onDemand } from "./endpoint.ts";
import type { Session } from "./session.ts";

const maxRooms = 1000;
const maxMembers = 100;
const maxMessageBytes = 64 * 1024;
/** Messages per second of one member. */
const maxRate = 100;

export function createRooms(): OnDemand {
  const rooms = new Map<string, Set<Session>>();
  return onDemand("rooms", {
    refuse(_request, { name = "" }) {
      const members = rooms.get(name);
      const isFull = members === undefined ? rooms.size >= maxRooms : members.size >= maxMembers;
      return isFull
        ? refuse(
            "endpoints_capacity",
            `There are at most ${maxRooms} rooms, with ${maxMembers} members each.\n`,
          )
        : undefined;
    },

    open(session, { name = "" }) {
      const members = rooms.get(name) ?? new Set();
      rooms.set(name, members.add(session));
      const { now } = session.parts;
      let secondStartedAt = now();
      let sentInSecond = 0;
      return {
        message(message, isBinary) {
          if (now() - secondStartedAt >= 1000) {
            secondStartedAt = now();
            sentInSecond = 0;
          }
          sentInSecond++;
          if (sentInSecond > maxRate || message.byteLength > maxMessageBytes) {
            session.close(1008, `at most ${maxRate} messages/s of ${maxMessageBytes} bytes`);
            return;
          }
          const data = Buffer.from(message);
          for (const member of [...members]) {
            // A member that does not read misses messages instead of using memory.
            if (member.isOpen && !member.isBehind) {
              member.push(data, isBinary);
            }
          }
        },
        close() {
          members.delete(session);
          if (members.size === 0) {
            rooms.delete(name);
          }
        },
      };
    },
  });
}
