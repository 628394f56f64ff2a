// Checks which client address the server sees, using `/inspect` of a uws-echo.

import { z } from "zod";
import type { Check } from "./check.ts";
import { notTested, passes, type Way } from "./way.ts";

/** The part of a uws-echo's `/inspect` response that the check reads. */
const inspectionSchema = z.object({
  remoteAddress: z.string(),
  clientAddress: z.string(),
  forwardedFor: z.string().nullable(),
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
});

type Inspection = z.infer<typeof inspectionSchema>;

/** Requests `/inspect` of a uws-echo. @returns undefined for other servers */
export async function inspect(way: Way, timeoutMs: number): Promise<Inspection | undefined> {
  const opening = await way.open({ beside: "inspect" });
  if (opening.conversation === undefined) {
    return undefined;
  }
  const first = await opening.conversation.next(timeoutMs);
  opening.conversation.leave();
  if (first?.kind !== "message") {
    return undefined;
  }
  try {
    return inspectionSchema.parse(JSON.parse(first.payload.toString()));
  } catch {
    return undefined; // Not a uws-echo.
  }
}

export const addressCheck: Check = {
  id: "forwarded",
  group: "handshake",
  title: "client's address",
  needs: ["isUwsEcho"],
  run: async (way) => {
    const inspection = await inspect(way, way.target.timeoutMs);
    if (inspection === undefined) {
      return notTested("/inspect beside the target does not answer");
    }
    const { remoteAddress, clientAddress, forwardedFor, headers } = inspection;
    const facts = { clientAddress };
    const said = ["x-forwarded-for", "x-forwarded-proto", "forwarded", "via", "x-real-ip"].flatMap((name) =>
      headers[name] === undefined ? [] : [`${name}: ${[headers[name]].flat().join(", ")}`],
    );
    const seen = `the server sees ${clientAddress}, connected from ${remoteAddress}${
      said.length === 0 ? ", with no header about the client" : `; ${said.join("; ")}`
    }`;
    const isUnread =
      forwardedFor !== null && clientAddress === remoteAddress && !forwardedFor.includes(clientAddress);
    return passes(
      seen,
      facts,
      isUnread
        ? `start the server with --trust-proxy ${remoteAddress}, so that it reads X-Forwarded-For`
        : null,
    );
  },
};
