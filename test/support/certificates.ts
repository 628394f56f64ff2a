// TLS files for tests, made by openssl: an authority, certificates of it, and everything that can be wrong with them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cleanup } from "./echo-server.ts";

/** Paths of PEM files in a folder that is removed after the test. */
export interface Certificates {
  readonly folder: string;
  /** The authority, its certificate. */
  readonly ca: string;
  /** A server's certificate for localhost and 127.0.0.1, and its key. */
  readonly cert: string;
  readonly key: string;
  /** The same key under a passphrase, and the file that holds it. */
  readonly encryptedKey: string;
  readonly passphraseFile: string;
  /** A client's certificate of the same authority, and its key. */
  readonly clientCert: string;
  readonly clientKey: string;
}

const passphrase = "correct horse";

/** Makes a set of certificates with elliptic-curve keys, which take milliseconds. */
export function makeCertificates(t: Cleanup): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-tls-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string): string => join(folder, name);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(["req", "-x509", ...newKey, "-days", "2", "-subj", "/CN=test authority", ...inFiles("ca")]);
  for (const [name, alternative] of [
    ["server", "DNS:localhost,IP:127.0.0.1"],
    ["client", "DNS:client.test"],
  ] as const) {
    writeFileSync(path(`${name}.ext`), `subjectAltName=${alternative}\n`);
    openssl([
      "req",
      ...newKey,
      "-subj",
      `/CN=${name}`,
      "-keyout",
      path(`${name}.key`),
      "-out",
      path(`${name}.csr`),
    ]);
    openssl([
      ...["x509", "-req", "-days", "2", "-in", path(`${name}.csr`), "-out", path(`${name}.crt`)],
      ...[
        "-CA",
        path("ca.crt"),
        "-CAkey",
        path("ca.key"),
        "-CAcreateserial",
        "-extfile",
        path(`${name}.ext`),
      ],
    ]);
  }
  writeFileSync(path("passphrase"), `${passphrase}\n`);
  openssl([
    ...["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", `file:${path("passphrase")}`],
    ...["-in", path("server.key"), "-out", path("encrypted.key")],
  ]);

  function inFiles(name: string): string[] {
    return ["-keyout", path(`${name}.key`), "-out", path(`${name}.crt`)];
  }
  return {
    folder,
    ca: path("ca.crt"),
    cert: path("server.crt"),
    key: path("server.key"),
    encryptedKey: path("encrypted.key"),
    passphraseFile: path("passphrase"),
    clientCert: path("client.crt"),
    clientKey: path("client.key"),
  };
}

function openssl(args: readonly string[]): void {
  const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`openssl ${args[0]} failed: ${stderr}`);
  }
}
