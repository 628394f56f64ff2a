// What can be started and stopped: one process, or a supervisor with its workers.
import type { ServedUrls } from "../server/urls.ts";

export interface Running {
  readonly urls: ServedUrls;
  /** Ends as `--drain-*` say. */
  stop(): Promise<void>;
  /** Ends at once; `stop()` then resolves soon. */
  force(): void;
  /** Reads the TLS files again. */
  reload(): void;
  /** Rejects when it cannot go on; never resolves. */
  readonly failure: Promise<never>;
}
