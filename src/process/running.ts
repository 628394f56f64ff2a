// Defines a running server: one process, or a supervisor with its workers.
import type { ServedUrls } from "../server/urls.ts";

export interface Running {
  readonly urls: ServedUrls;
  /** Drains as `--drain-*` say. */
  stop(): Promise<void>;
  /** Ends at once; `stop()` then resolves soon. */
  force(): void;
  /** Reads the TLS files again. */
  reload(): void;
  /** Rejects when the server fails; never resolves. */
  readonly failure: Promise<never>;
}
