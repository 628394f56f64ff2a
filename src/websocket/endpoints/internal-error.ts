// /internal_error: closes with 1011 right after the handshake, like pywebsocket's handler, which raises an exception.
import { onDemand } from "./endpoint.ts";

export const internalError = onDemand("internal_error", {
  open(session) {
    session.close(1011);
    return {};
  },
});
