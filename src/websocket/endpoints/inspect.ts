// /inspect by upgrade: the handshake as it reached the server, and then an echo. Secrets never, and not to foreign pages.
import { echoing, onDemand } from "./endpoint.ts";

export const inspect = onDemand("inspect", {
  isEcho: true,
  wantsHandshake: () => true,
  open(session, _asked, handshake) {
    session.push(handshake);
    return echoing(session);
  },
});
