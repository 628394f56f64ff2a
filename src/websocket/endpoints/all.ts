// Lists every endpoint on demand. To add one, add a row in src/lib/behaviours.ts, a file here, and a line below.
import type { EventStreams } from "../../http/event-streams.ts";
import type { HeldAnswers } from "../../http/held-answers.ts";
import { abort, abortHandshake } from "./abort.ts";
import { basicAuth } from "./basic-auth.ts";
import { bearer } from "./bearer.ts";
import { bench } from "./bench.ts";
import { benchmarkHelper } from "./benchmark-helper.ts";
import { close } from "./close.ts";
import { createDelay } from "./delay.ts";
import { echo } from "./echo.ts";
import { echoNoext } from "./echo-noext.ts";
import type { OnDemand } from "./endpoint.ts";
import { inspect } from "./inspect.ts";
import { internalError } from "./internal-error.ts";
import { originCheck } from "./origin-check.ts";
import { pings } from "./pings.ts";
import { createRooms } from "./rooms.ts";
import { sink } from "./sink.ts";
import { source } from "./source.ts";
import { createSse } from "./sse.ts";
import { status } from "./status.ts";
import { ticks } from "./ticks.ts";
import { violate } from "./violate.ts";

/** Creates the endpoints of one server. */
export const createOnDemandEndpoints = (streams: EventStreams, held: HeldAnswers): OnDemand[] => [
  echo,
  close,
  ticks,
  source,
  sink,
  inspect,
  pings,
  status,
  basicAuth,
  bearer,
  createSse(streams),
  createDelay(held),
  echoNoext,
  abort,
  abortHandshake,
  internalError,
  bench,
  benchmarkHelper,
  originCheck,
  createRooms(),
  violate,
];
