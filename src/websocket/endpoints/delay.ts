// /delay/<duration>: sends an HTTP response after this long.
import type { HeldAnswers } from "../../http/held-answers.ts";
import { json } from "../../http/reply.ts";
import { formatDuration } from "../../lib/units.ts";
import { onDemand } from "./endpoint.ts";

export const createDelay = (held: HeldAnswers) =>
  onDemand("delay", {
    respond: ({ res, reply, done }, { duration = 0 }) =>
      held.hold(res, duration, done, () =>
        reply({ status: 200, ...json({ delay: formatDuration(duration) }) }),
      ),
  });
