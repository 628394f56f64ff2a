// Reads and checks the TLS files and settings, before anything listens and again at each renewal.

import type { AppOptions } from "uWebSockets.js";
import type { KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { SecureContextOptions } from "node:tls";
import { lazily } from "../system/lazy-builtins.ts";
import type { Config } from "./options.ts";

/** The options of TLS, with files as paths. */
export type TlsSettings = Pick<
  Config,
  | "tlsCert"
  | "tlsKey"
  | "tlsCa"
  | "tlsPassphraseFile"
  | "tlsClientAuth"
  | "tlsMinVersion"
  | "tlsCiphers"
  | "tlsEngine"
>;

/** The checked content of the TLS files. */
export interface TlsMaterial {
  /** Options of `tls.createSecureContext()`. */
  readonly context: SecureContextOptions;
  /** The server's own certificate, the first of `--tls-cert`. */
  readonly certificate: X509Certificate;
}

// Every suite has forward secrecy and authenticated encryption.
const modernCiphers = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];

/** Whether TLS is on and terminated by Node, in front of uWebSockets.js. */
export function isTlsRelayed(config: Pick<Config, "tlsCert" | "tlsEngine">): boolean {
  return config.tlsCert !== undefined && config.tlsEngine === "node";
}

/** A sentence for each problem of the TLS files and settings; none when TLS is off. */
export function tlsProblems(settings: TlsSettings): string[] {
  const read = readTls(settings);
  return "problems" in read ? [...read.problems] : [];
}

/** Reads the TLS files and checks them against each other; `{}` when TLS is off. */
export function readTls(settings: TlsSettings): TlsMaterial | { readonly problems: readonly string[] } {
  const { tlsCert, tlsKey, tlsCa, tlsPassphraseFile } = settings;
  if (tlsCert === undefined || tlsKey === undefined) {
    return { problems: [] };
  }
  const { createPrivateKey, X509Certificate } = lazily.crypto();
  const problems: string[] = [];
  const read = (flag: string, path: string | undefined): string | undefined =>
    path === undefined ? undefined : attempt(problems, `${flag} ${path}`, () => readFileSync(path, "utf8"));
  const cert = read("--tls-cert", tlsCert);
  const key = read("--tls-key", tlsKey);
  const ca = read("--tls-ca", tlsCa);
  const passphrase = withoutLineEnd(read("--tls-passphrase-file", tlsPassphraseFile));

  const certificate =
    cert &&
    attempt(problems, `--tls-cert ${tlsCert}: not a PEM certificate`, () => new X509Certificate(cert));
  const privateKey =
    key !== undefined &&
    attempt(problems, `--tls-key ${tlsKey}: not a PEM private key, or the wrong passphrase`, () =>
      createPrivateKey({ key, format: "pem", ...(passphrase === undefined ? {} : { passphrase }) }),
    );
  if (ca !== undefined) {
    attempt(problems, `--tls-ca ${tlsCa}: not a PEM certificate`, () => new X509Certificate(ca));
  }
  if (cert === "") {
    problems.push(`--tls-cert ${tlsCert}: the file is empty`);
  }
  if (!certificate || !privateKey || !cert) {
    return { problems };
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    problems.push(`--tls-key ${tlsKey}: does not belong to the certificate of --tls-cert ${tlsCert}`);
    return { problems };
  }
  const context: SecureContextOptions = {
    cert,
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
    ...(ca === undefined ? {} : { ca }),
    ...settingsOf(settings),
  };
  problems.push(...settingProblems(settings, context, privateKey));
  return problems.length > 0 ? { problems } : { context, certificate };
}

/** The options of `SSLApp`. */
export function tlsAppOptions(settings: TlsSettings): AppOptions {
  const { tlsCert, tlsKey, tlsCa, tlsPassphraseFile, tlsCiphers } = settings;
  const passphrase = tlsPassphraseFile && withoutLineEnd(readFileSync(tlsPassphraseFile, "utf8"));
  return {
    ...(tlsCert === undefined ? {} : { cert_file_name: tlsCert }),
    ...(tlsKey === undefined ? {} : { key_file_name: tlsKey }),
    ...(tlsCa === undefined ? {} : { ca_file_name: tlsCa }),
    ...(passphrase === undefined ? {} : { passphrase }),
    // OpenSSL has a separate option for the suites of TLS 1.3, which uWS does not set.
    ssl_ciphers: cipherList(tlsCiphers)
      .filter((suite) => !suite.startsWith("TLS_"))
      .join(":"),
  };
}

// Invalid options are undefined here: their problems are already reported.
function settingsOf({ tlsMinVersion, tlsCiphers }: Partial<TlsSettings>): SecureContextOptions {
  return {
    minVersion: tlsMinVersion === "1.3" ? "TLSv1.3" : "TLSv1.2",
    ...(tlsCiphers === undefined ? {} : { ciphers: cipherList(tlsCiphers).join(":") }),
  };
}

function settingProblems(
  settings: TlsSettings,
  context: SecureContextOptions,
  privateKey: KeyObject,
): string[] {
  const problems: string[] = [];
  const { createSecureContext } = lazily.tls();
  const { ciphers: _, ...others } = context;
  attempt(problems, "TLS", () => createSecureContext(others));
  attempt(problems, `--tls-ciphers ${settings.tlsCiphers}`, () => createSecureContext(settingsOf(settings)));
  if (settings.tlsEngine === "uws") {
    problems.push(...uwsProblems(settings, privateKey));
  }
  return problems;
}

/** Settings that uWebSockets.js does not support, each found by trial. */
function uwsProblems({ tlsClientAuth, tlsMinVersion }: TlsSettings, key: KeyObject): string[] {
  const problems: string[] = [];
  if (tlsClientAuth === "require") {
    problems.push(
      "--tls-client-auth require: uWebSockets.js cannot require a certificate; use --tls-engine node",
    );
  }
  if (tlsMinVersion === "1.3") {
    problems.push("--tls-min-version 1.3: uWebSockets.js also accepts 1.2; use --tls-engine node");
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const isGoodCurve = ["prime256v1", "secp384r1", "secp521r1"].includes(curve ?? "");
  const type = key.asymmetricKeyType ?? "unknown";
  if (!(type === "rsa" || type === "ed25519" || (type === "ec" && isGoodCurve))) {
    problems.push(
      `--tls-key: uWebSockets.js does not support ${curve ?? type} keys, only RSA, P-256, P-384, P-521 and Ed25519; use --tls-engine node`,
    );
  }
  return problems;
}

function cipherList(ciphers: string): readonly string[] {
  return ciphers === "modern" ? modernCiphers : ciphers.split(":");
}

/** A passphrase may end in blanks, but not in the line ending that editors add. */
function withoutLineEnd(text: string | undefined): string | undefined {
  return text?.replace(/\r?\n$/, "");
}

function attempt<T>(problems: string[], label: string, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    problems.push(`${label}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}
