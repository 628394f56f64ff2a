// Makes TLS files for tests: an authority, certificates that it signed, an encrypted key.
import { createPrivateKey, webcrypto } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import "reflect-metadata"; // which @peculiar/x509 needs first
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
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
const { subtle } = webcrypto;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const dayMs = 86_400_000;

/** Makes a set of certificates with elliptic-curve keys, which take milliseconds. */
export async function makeCertificates(t: Cleanup): Promise<Certificates> {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-tls-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, content: string): string => {
    const path = join(folder, name);
    // HAProxy reads certificate and key from one file, so each must end its last line.
    writeFileSync(path, `${content.trimEnd()}\n`);
    return path;
  };
  const authority = await newKeys();
  const notBefore = new Date(Date.now() - dayMs);
  const notAfter = new Date(Date.now() + dayMs);
  const issuer = "CN=test authority";
  const ca = await X509CertificateGenerator.createSelfSigned({
    name: issuer,
    keys: authority,
    signingAlgorithm: algorithm,
    notBefore,
    notAfter,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  const sign = (subject: string, keys: CryptoKeyPair, names: Names): Promise<X509Certificate> =>
    X509CertificateGenerator.create({
      subject,
      issuer,
      publicKey: keys.publicKey,
      signingKey: authority.privateKey,
      signingAlgorithm: algorithm,
      notBefore,
      notAfter,
      extensions: [new SubjectAlternativeNameExtension(names)],
    });
  const [server, client] = [await newKeys(), await newKeys()];
  const serverCert = await sign("CN=server", server, [
    { type: "dns", value: "localhost" },
    { type: "ip", value: "127.0.0.1" },
  ]);
  const clientCert = await sign("CN=client", client, [{ type: "dns", value: "client.test" }]);
  return {
    folder,
    ca: write("ca.crt", ca.toString("pem")),
    cert: write("server.crt", serverCert.toString("pem")),
    key: write("server.key", await pemOf(server)),
    encryptedKey: write("encrypted.key", await pemOf(server, passphrase)),
    passphraseFile: write("passphrase", `${passphrase}\n`),
    clientCert: write("client.crt", clientCert.toString("pem")),
    clientKey: write("client.key", await pemOf(client)),
  };
}

type Names = ConstructorParameters<typeof SubjectAlternativeNameExtension>[0] & object[];
type CryptoKeyPair = webcrypto.CryptoKeyPair;

function newKeys(): Promise<CryptoKeyPair> {
  return subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

/** A private key as PKCS #8, encrypted where a passphrase is given. */
async function pemOf({ privateKey }: CryptoKeyPair, passphrase?: string): Promise<string> {
  const der = Buffer.from(await subtle.exportKey("pkcs8", privateKey));
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const encryption = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
  return key.export({ type: "pkcs8", format: "pem", ...encryption }) as string;
}
