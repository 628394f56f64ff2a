// /bearer: an echo that requires any token (RFC 6750), in a header or in one of the two places that browsers can set.
import { json } from "../../http/reply.ts";
import { refuse } from "../refusals.ts";
import { echoing, onDemand } from "./endpoint.ts";

export const bearer = onDemand("bearer", {
  isEcho: true,
  refuse({ headers, asked }, { token }) {
    const isKnown =
      hasToken(headers["authorization"], token) ||
      (asked.subprotocols.includes(scheme) && asked.subprotocols.length > 1);
    return isKnown ? undefined : refusal;
  },
  // A browser closes a connection whose sub-protocol it did not offer, and the response must not contain the token.
  accept: ({ asked }) => (asked.subprotocols.includes(scheme) ? { subprotocol: scheme } : {}),
  open: echoing,
  answer: ({ headers }, { token }) =>
    hasToken(headers["authorization"], token) ? { status: 200, ...json({ authenticated: true }) } : refusal,
});

/** The sub-protocol that marks the other one as a token. */
const scheme = "bearer";

const refusal = refuse(
  "unauthorized",
  "Send a token: Authorization: Bearer, ?token=, or the sub-protocols bearer and the token.\n",
  { "WWW-Authenticate": 'Bearer realm="uws-echo"' },
);

function hasToken(header: string | undefined, parameter: string | undefined): boolean {
  return /^Bearer +[A-Za-z0-9\-._~+/]+=*$/i.test(header ?? "") || (parameter ?? "") !== "";
}
