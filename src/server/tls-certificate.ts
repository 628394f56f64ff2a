// Holds the certificate in use, and reloads the TLS files when they change or on request.
import { type BigIntStats, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { SecureContextOptions } from "node:tls";
import { ConfigError } from "../config/resolve.ts";
import { readTls, type TlsMaterial, type TlsSettings } from "../config/tls.ts";
import { bump, type Stats, slot } from "../metrics/counters.ts";
import type { Log } from "../system/log.ts";

/** Interval at which the files are checked, in milliseconds. A change counts if the next check finds it unchanged. */
const watchIntervalMs = 1000;

/** The state of a file that cannot be read. */
const missing = "missing";

/** The certificate of a TLS server. */
export class Certificate {
  readonly #settings: TlsSettings;
  readonly #stats: Stats;
  readonly #log: Log;
  readonly #onRenewed: (context: SecureContextOptions) => void;
  readonly #timer: NodeJS.Timeout;
  #material: TlsMaterial;
  /** The state of the files at the last reload, and at the last check. */
  #read: string;
  #seen: string;

  /**
   * @param onRenewed called with the context for new connections
   * @throws ConfigError with every problem of the files
   */
  constructor(
    settings: TlsSettings,
    stats: Stats,
    log: Log,
    onRenewed: (context: SecureContextOptions) => void,
  ) {
    this.#settings = settings;
    this.#stats = stats;
    this.#log = log;
    this.#onRenewed = onRenewed;
    // Before the files are read, so that a change during the start is noticed.
    this.#read = this.#paths.map(stateNow).join();
    this.#seen = this.#read;
    const material = readTls(settings);
    if ("problems" in material) {
      throw new ConfigError(material.problems);
    }
    this.#material = material;
    // Polled: a watch on a file ends when the file is replaced, and Kubernetes replaces a link to its folder.
    this.#timer = setInterval(() => void this.#look(), watchIntervalMs).unref();
  }

  get context(): SecureContextOptions {
    return this.#material.context;
  }

  /** Expiry of the certificate in use, in seconds since 1970. */
  get expirySeconds(): number {
    return Date.parse(this.#material.certificate.validTo) / 1000;
  }

  /** Reloads the files now. An invalid pair is logged and counted, and the current one stays in use. */
  reload(): void {
    const material = readTls(this.#settings);
    if ("problems" in material) {
      bump(this.#stats, slot.tlsReloadsFailed);
      this.#log.error({ problems: material.problems }, "TLS files are invalid: keeping the old ones");
      return;
    }
    this.#material = material;
    this.#onRenewed(material.context);
    bump(this.#stats, slot.tlsReloads);
    const { subject, validTo, fingerprint256 } = material.certificate;
    this.#log.info({ subject, validTo, fingerprint256 }, "TLS files reloaded");
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  get #paths(): readonly string[] {
    const { tlsCert, tlsKey, tlsCa, tlsPassphraseFile } = this.#settings;
    return [tlsCert, tlsKey, tlsCa, tlsPassphraseFile].filter((path) => path !== undefined);
  }

  async #look(): Promise<void> {
    const states = this.#paths.map((path) => stateAt(path));
    const state = (await Promise.all(states)).join();
    if (state !== this.#read && state === this.#seen) {
      this.#read = state;
      this.reload();
    }
    this.#seen = state;
  }
}

/** A string that changes with the file, or with a link on its path. */
function stateOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

function stateNow(path: string): string {
  try {
    return stateOf(statSync(path, { bigint: true }));
  } catch {
    return missing;
  }
}

async function stateAt(path: string): Promise<string> {
  try {
    return stateOf(await stat(path, { bigint: true }));
  } catch {
    return missing;
  }
}
