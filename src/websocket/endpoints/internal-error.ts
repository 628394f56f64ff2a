// /internal_error: 1011 right after the handshake, as pywebsocket's handler of that name, which raises an exception.
import { onDemand } from "./endpoint.ts";

export const internalError = onDemand("internal_error", {
  open(session) {
    session.close(1011);
    return {};
  },
});
