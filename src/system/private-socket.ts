// Creates the path of a Unix socket that only this user can access, in a folder that is removed at exit.
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface PrivateSocket {
  readonly path: string;
  /** Removes the folder. */
  remove(): void;
}

const prefix = "uws-echo-tls-";
const name = "app.sock";
/** sockaddr_un has room for 108 bytes with the final zero. */
const maxPathBytes = 107;

/**
 * Creates the folder with mode 0700 in the system's folder for temporary files or, if that is not writable, as in a
 * read-only container, in shared memory.
 * @throws Error that lists the folders tried
 */
export function createPrivateSocket(): PrivateSocket {
  const problems: string[] = [];
  for (const base of [tmpdir(), "/dev/shm"]) {
    if (Buffer.byteLength(join(base, `${prefix}XXXXXX`, name)) > maxPathBytes) {
      problems.push(`${base}: the path is too long for a socket`);
      continue;
    }
    try {
      return privateSocketIn(base);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(
    `TLS needs a folder for a private socket; set TMPDIR to a writable folder (${problems.join("; ")})`,
  );
}

function privateSocketIn(base: string): PrivateSocket {
  const folder = mkdtempSync(join(base, prefix));
  const remove = (): void => {
    process.off("exit", remove);
    rmSync(folder, { recursive: true, force: true });
  };
  process.on("exit", remove);
  sweep(base, folder);
  return { path: join(folder, name), remove };
}

/** Removes the folders of killed processes of this user, on whose sockets nothing listens. */
function sweep(base: string, own: string): void {
  for (const entry of readdirSync(base)) {
    const folder = join(base, entry);
    if (!entry.startsWith(prefix) || folder === own || !isOurs(folder)) {
      continue;
    }
    const probe = connect(join(folder, name));
    probe.on("connect", () => probe.destroy());
    probe.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (code === "ECONNREFUSED") {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
}

function isOurs(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.uid === process.getuid?.();
}
