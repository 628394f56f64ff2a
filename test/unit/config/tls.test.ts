import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { type TlsSettings, tlsAppOptions, tlsProblems } from "../../../src/config/tls.ts";
import { tlsConnectionsInMemory } from "../../../src/system/resources.ts";
import { type Certificates, makeCertificates } from "../../support/certificates.ts";

const off: TlsSettings = {
  tlsCert: undefined,
  tlsKey: undefined,
  tlsCa: undefined,
  tlsPassphraseFile: undefined,
  tlsClientAuth: "none",
  tlsMinVersion: "1.2",
  tlsCiphers: "modern",
  tlsEngine: "node",
};

test("without certificate and key TLS is off", () => {
  assert.deepEqual(tlsProblems(off), []);
});

test("unreadable files are reported all at once, with the flag and the path", () => {
  const problems = tlsProblems({
    ...off,
    tlsCert: "/nonexistent/cert.pem",
    tlsKey: "/nonexistent/key.pem",
    tlsCa: "/nonexistent/ca.pem",
    tlsPassphraseFile: "/nonexistent/secret",
  });
  assert.deepEqual(
    problems.map((problem) => problem.split(": ").slice(0, 2).join(": ")),
    [
      "--tls-cert /nonexistent/cert.pem: ENOENT",
      "--tls-key /nonexistent/key.pem: ENOENT",
      "--tls-ca /nonexistent/ca.pem: ENOENT",
      "--tls-passphrase-file /nonexistent/secret: ENOENT",
    ],
  );
});

describe("with certificates", () => {
  const cleanups: (() => unknown)[] = [];
  let made: Certificates | undefined;
  before(async () => {
    made = await makeCertificates({ after: (action) => cleanups.push(action) });
  });
  after(() => {
    for (const cleanup of cleanups) {
      cleanup();
    }
  });

  /** A test of the files, which are a good certificate and key but for `change`. */
  function problemTest(
    name: string,
    change: (files: Certificates) => Partial<TlsSettings>,
    expected: readonly RegExp[],
  ): void {
    test(name, () => {
      assert.ok(made !== undefined);
      const problems = tlsProblems({ ...off, tlsCert: made.cert, tlsKey: made.key, ...change(made) });
      assert.equal(problems.length, expected.length, problems.join("\n"));
      for (const [i, pattern] of expected.entries()) {
        assert.match(problems[i] ?? "", pattern);
      }
    });
  }

  function fileWith({ folder }: Certificates, content: string): string {
    const path = join(folder, `file-${Math.random()}`);
    writeFileSync(path, content);
    return path;
  }

  problemTest("a certificate with its key is good", () => ({}), []);
  problemTest("so it is with an authority for clients", ({ ca }) => ({ tlsCa: ca }), []);
  problemTest(
    "an encrypted key is good with its passphrase, whatever line end the file has",
    ({ encryptedKey, passphraseFile }) => ({ tlsKey: encryptedKey, tlsPassphraseFile: passphraseFile }),
    [],
  );
  problemTest(
    "an encrypted key without a passphrase is refused",
    ({ encryptedKey }) => ({ tlsKey: encryptedKey }),
    [/^--tls-key .*encrypted\.key: not a PEM private key, or the wrong passphrase/],
  );
  problemTest(
    "an encrypted key with another passphrase is refused",
    (files) => ({ tlsKey: files.encryptedKey, tlsPassphraseFile: fileWith(files, "wrong") }),
    [/--tls-key .*the wrong passphrase/],
  );
  problemTest("a key of another certificate is refused", ({ clientKey }) => ({ tlsKey: clientKey }), [
    /^--tls-key .*client\.key: does not belong to the certificate of --tls-cert .*server\.crt$/,
  ]);
  problemTest(
    "an exchanged certificate and key are refused",
    ({ cert, key }) => ({ tlsCert: key, tlsKey: cert }),
    [/--tls-cert .*server\.key: not a PEM certificate/, /--tls-key .*server\.crt: not a PEM private key/],
  );
  problemTest(
    "text that is not PEM is refused",
    (files) => ({
      tlsCert: fileWith(files, "hello"),
      tlsKey: fileWith(files, "hello"),
      tlsCa: fileWith(files, "x"),
    }),
    [
      /--tls-cert .*not a PEM certificate/,
      /--tls-key .*not a PEM private key/,
      /--tls-ca .*not a PEM certificate/,
    ],
  );
  problemTest("an empty file is refused", (files) => ({ tlsKey: fileWith(files, "") }), [
    /^--tls-key .*not a PEM private key/,
  ]);
  problemTest("a folder is refused", ({ folder }) => ({ tlsCert: folder }), [/--tls-cert .*EISDIR/]);

  test("uWS gets the paths, and the passphrase without its line end", () => {
    assert.ok(made !== undefined);
    assert.deepEqual(
      tlsAppOptions({
        ...off,
        tlsCiphers: "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256",
        tlsCert: made.cert,
        tlsKey: made.encryptedKey,
        tlsCa: made.ca,
        tlsPassphraseFile: made.passphraseFile,
      }),
      {
        cert_file_name: made.cert,
        key_file_name: made.encryptedKey,
        ca_file_name: made.ca,
        passphrase: "correct horse",
        ssl_ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256",
      },
    );
  });
});

test("by default TLS connections are limited by memory and descriptors", async (t) => {
  const made = await makeCertificates(t);
  const plain = resolveConfig({}).config.maxConnections;
  const options = { tlsCert: made.cert, tlsKey: made.key };
  const relayed = resolveConfig(options).config.maxConnections;
  assert.equal(relayed, Math.max(16, Math.min(Math.floor(plain / 3), tlsConnectionsInMemory())));
  assert.equal(resolveConfig({ ...options, tlsEngine: "uws" }).config.maxConnections, plain);
  assert.equal(resolveConfig({ ...options, maxConnections: "5000" }).config.maxConnections, 5000);
  assert.equal(tlsConnectionsInMemory(256 * 1024 * 1024), 1024);
});
