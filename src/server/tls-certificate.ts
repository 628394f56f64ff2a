// The certificate in use, and its renewal: reads the TLS files again when they change or when it is told to.
import { stat } from "node:fs/promises";
import type { SecureContextOptions } from "node:tls";
import { ConfigError } from "../config/resolve.ts";
import { readTls, type TlsMaterial, type TlsSettings } from "../config/tls.ts";
import { bump, type Stats, slot } from "../metrics/counters.ts";
import type { Log } from "../system/log.ts";

/** How often the files are looked at, in milliseconds. A change counts once it has lasted until the next look. */
const watchIntervalMs = 1000;

/** What a server shows its clients. */
export class Certificate {
  readonly #settings: TlsSettings;
  readonly #stats: Stats;
  readonly #log: Log;
  readonly #onRenewed: (context: SecureContextOptions) => void;
  readonly #timer: NodeJS.Timeout;
  #material: TlsMaterial;
  /** The state of the files that was read last, and the one seen last. */
  #read = "";
  #seen = "";

  /**
   * @param onRenewed takes the context for connections from now on
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
    const material = readTls(settings);
    if ("problems" in material) {
      throw new ConfigError(material.problems);
    }
    this.#material = material;
    // Polled: a watch on a file ends when the file is replaced, and Kubernetes replaces a link to its folder.
    this.#timer = setInterval(() => void this.#look(), watchIntervalMs).unref();
    void this.#look();
  }

  get context(): SecureContextOptions {
    return this.#material.context;
  }

  /** When the certificate in use expires, in seconds since 1970. */
  get expirySeconds(): number {
    return Date.parse(this.#material.certificate.validTo) / 1000;
  }

  /** Reads the files now. A pair that cannot be used is logged and counted, and the one in use stays. */
  reload(): void {
    const material = readTls(this.#settings);
    if ("problems" in material) {
      bump(this.#stats, slot.tlsReloadsFailed);
      this.#log.error({ problems: material.problems }, "TLS files cannot be used: keeping the old ones");
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

  async #look(): Promise<void> {
    const { tlsCert, tlsKey, tlsCa, tlsPassphraseFile } = this.#settings;
    const states = [tlsCert, tlsKey, tlsCa, tlsPassphraseFile].map((path) => stateOf(path));
    const state = (await Promise.all(states)).join();
    if (this.#read === "") {
      this.#read = state;
    } else if (state !== this.#read && state === this.#seen) {
      this.#read = state;
      this.reload();
    }
    this.#seen = state;
  }
}

/** Changes whenever the file does, or a link on the way to it. */
async function stateOf(path: string | undefined): Promise<string> {
  if (path === undefined) {
    return "";
  }
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return "missing";
  }
}
