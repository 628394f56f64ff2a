// Checks TLS files before anything listens, since uWS only says yes or no. It knows no server.

import type { AppOptions } from "uWebSockets.js";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";

/** The TLS options, each a path. */
export interface TlsFiles {
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsCa: string | undefined;
  readonly tlsPassphraseFile: string | undefined;
}

/** Everything that is wrong with the TLS files, a sentence each; none when TLS is off. */
export function tlsProblems(files: TlsFiles): string[] {
  if (files.tlsCert === undefined || files.tlsKey === undefined) {
    return [];
  }
  const problems: string[] = [];
  const read = (flag: string, path: string | undefined): string | undefined => {
    if (path === undefined) {
      return undefined;
    }
    return attempt(problems, `${flag} ${path}`, () => readFileSync(path, "utf8"));
  };
  const cert = read("--tls-cert", files.tlsCert);
  const key = read("--tls-key", files.tlsKey);
  const ca = read("--tls-ca", files.tlsCa);
  const passphrase = read("--tls-passphrase-file", files.tlsPassphraseFile)?.trimEnd();

  const certificate =
    cert !== undefined &&
    attempt(problems, `--tls-cert ${files.tlsCert}: not a PEM certificate`, () => new X509Certificate(cert));
  const privateKey =
    key !== undefined &&
    attempt(problems, `--tls-key ${files.tlsKey}: not a PEM private key, or the wrong passphrase`, () =>
      createPrivateKey({ key, format: "pem", ...(passphrase === undefined ? {} : { passphrase }) }),
    );
  if (ca !== undefined) {
    attempt(problems, `--tls-ca ${files.tlsCa}: not a PEM certificate`, () => new X509Certificate(ca));
  }
  if (certificate && privateKey) {
    if (!certificate.checkPrivateKey(privateKey)) {
      problems.push(
        `--tls-key ${files.tlsKey}: does not belong to the certificate of --tls-cert ${files.tlsCert}`,
      );
    } else {
      attempt(problems, "TLS", () =>
        createSecureContext({ cert, key: privateKey.export({ type: "pkcs8", format: "pem" }) }),
      );
    }
  }
  return problems;
}

/** The options of `SSLApp`, or undefined when TLS is off. */
export function tlsAppOptions(files: TlsFiles): AppOptions | undefined {
  const { tlsCert, tlsKey, tlsCa, tlsPassphraseFile } = files;
  if (tlsCert === undefined || tlsKey === undefined) {
    return undefined;
  }
  return {
    cert_file_name: tlsCert,
    key_file_name: tlsKey,
    ...(tlsCa === undefined ? {} : { ca_file_name: tlsCa }),
    ...(tlsPassphraseFile === undefined
      ? {}
      : { passphrase: readFileSync(tlsPassphraseFile, "utf8").trimEnd() }),
  };
}

function attempt<T>(problems: string[], label: string, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    problems.push(`${label}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}
