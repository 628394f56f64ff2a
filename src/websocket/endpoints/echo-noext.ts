// /echo_noext: an echo without extensions, like pywebsocket's handler of that name.
import { echoing, onDemand } from "./endpoint.ts";

export const echoNoext = onDemand("echo_noext", {
  isEcho: true,
  accept: () => ({ declinesExtensions: true }),
  open: echoing,
});
