// /abort and /abort_handshake: end the TCP connection after or instead of 101, like pywebsocket's handlers of these names.
import { onDemand } from "./endpoint.ts";

export const abort = onDemand("abort", {
  open(session) {
    session.abort();
    return {};
  },
});

export const abortHandshake = onDemand("abort_handshake", {
  refuse: () => ({ reason: "asked", status: 0, body: "" }),
});
