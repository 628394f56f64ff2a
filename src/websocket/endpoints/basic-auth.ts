// /basic-auth/<user>/<password>: an echo that requires these credentials (RFC 7617).
import { json } from "../../http/reply.ts";
import { lazily } from "../../system/lazy-builtins.ts";
import { refuse } from "../refusals.ts";
import { echoing, onDemand } from "./endpoint.ts";
import type { Asked } from "./session.ts";

export const basicAuth = onDemand("basic_auth", {
  isEcho: true,
  refuse: ({ headers }, asked) => (isAuthorized(headers["authorization"], asked) ? undefined : refusal),
  open: echoing,
  answer: ({ headers }, asked) =>
    isAuthorized(headers["authorization"], asked)
      ? { status: 200, ...json({ authenticated: true, user: asked.user }) }
      : refusal,
});

const refusal = refuse("unauthorized", "Send the user and the password of the path.\n", {
  "WWW-Authenticate": 'Basic realm="uws-echo", charset="UTF-8"',
});

function isAuthorized(
  header: string | undefined,
  { user = "", password = "" }: Asked<"basic_auth">,
): boolean {
  const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(header ?? "")?.[1];
  const given = Buffer.from(encoded ?? "", "base64");
  const wanted = Buffer.from(`${user}:${password}`);
  return given.length === wanted.length && lazily.crypto().timingSafeEqual(given, wanted);
}
