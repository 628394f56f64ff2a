import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { connectClient } from "../support/client.ts";
import { type Cleanup, cliPath, scrape, spawnServer, startServer } from "../support/echo-server.ts";
import { connectTls, getSecure, startSecureServer } from "../support/secure.ts";
import { toolTest } from "../support/tools.ts";
import { waitUntil } from "../support/wait.ts";

const longMs = 30_000;

/** The fingerprint of a server's certificate. */
async function shown(t: Cleanup, port: number): Promise<string> {
  const socket = await connectTls(t, port);
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  return certificate?.fingerprint256 ?? "";
}

function fingerprint(path: string): string {
  return new X509Certificate(readFileSync(path)).fingerprint256;
}

/** Writes a pair as Kubernetes mounts a Secret: files are links to ..data, which is a link to a folder. */
function mountSecret(folder: string, version: string, pair: Pick<Certificates, "cert" | "key">): void {
  mkdirSync(join(folder, version), { recursive: true });
  copyFileSync(pair.cert, join(folder, version, "tls.crt"));
  copyFileSync(pair.key, join(folder, version, "tls.key"));
  rmSync(join(folder, "..data_tmp"), { force: true });
  symlinkSync(version, join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
}

test("uses a Secret soon after Kubernetes swaps it, and keeps connections", async (t) => {
  const [old, fresh] = [await makeCertificates(t), await makeCertificates(t)];
  const folder = join(old.folder, "secret");
  mountSecret(folder, "..1", old);
  const [cert, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  symlinkSync("..data/tls.crt", cert);
  symlinkSync("..data/tls.key", key);
  const server = await startServer(t, { tlsCert: cert, tlsKey: key });
  const { ws, next } = await connectClient(t, server.urls.echo, { ca: readFileSync(old.ca) });
  assert.equal(await shown(t, server.port), fingerprint(old.cert));
  mountSecret(folder, "..2", fresh);
  const expected = fingerprint(fresh.cert);
  await waitUntil(async () => (await shown(t, server.port)) === expected, "the new certificate", longMs);
  ws.send("still here");
  assert.equal((await next()).data.toString(), "still here");
  const stats = await server.stats();
  assert.equal(stats['echo_tls_reloads_total{result="ok"}'], 1);
  assert.equal(
    stats['echo_tls_certificate_expiry_timestamp_seconds{worker="1"}'],
    Date.parse(new X509Certificate(readFileSync(fresh.cert)).validTo) / 1000,
  );
});

/** In one step: a file that is read while it is written would be a second invalid pair. */
function replaceFile(from: string, to: string): void {
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

test("a pair that does not match is counted and ignored, and the next one is used", async (t) => {
  const [old, fresh] = [await makeCertificates(t), await makeCertificates(t)];
  const before = fingerprint(old.cert);
  const server = await startServer(t, { tlsCert: old.cert, tlsKey: old.key });
  const failed = async (): Promise<number> =>
    (await server.stats())['echo_tls_reloads_total{result="failed"}'] ?? 0;
  replaceFile(fresh.cert, old.cert);
  await waitUntil(async () => (await failed()) === 1, "the failure to be counted", longMs);
  assert.equal(await shown(t, server.port), before);
  replaceFile(fresh.key, old.key);
  const expected = fingerprint(fresh.cert);
  await waitUntil(async () => (await shown(t, server.port)) === expected, "the new certificate", longMs);
  assert.equal(await failed(), 1);
});

test("SIGHUP makes every worker reload the files at once", async (t) => {
  const [old, fresh] = [await makeCertificates(t), await makeCertificates(t)];
  const args = ["--workers", "2", "--tls-cert", old.cert, "--tls-key", old.key];
  const server = await spawnServer(t, [...args, "--admin-port", "0", "--admin-host", "127.0.0.1"]);
  const admin = server.urls.find((url) => url.endsWith("/metrics")) ?? "";
  copyFileSync(fresh.cert, old.cert);
  copyFileSync(fresh.key, old.key);
  process.kill(server.pid, "SIGHUP");
  await waitUntil(
    async () => ((await scrape(admin))['echo_tls_reloads_total{result="ok"}'] ?? 0) >= 2,
    "both workers to reload",
    longMs,
  );
  const port = Number(new URL(`https://${server.authority}`).port);
  assert.equal(await shown(t, port), fingerprint(fresh.cert));
});

test("--tls-client-auth require accepts only clients with a certificate of --tls-ca", async (t) => {
  const strange = await makeCertificates(t);
  const { server, files } = await startSecureServer(t, ({ ca }) => ({ tlsCa: ca, tlsClientAuth: "require" }));
  const identity = { cert: readFileSync(files.clientCert), key: readFileSync(files.clientKey) };
  const found = JSON.parse(await getSecure(server.urls.inspect, identity));
  assert.equal(found.tlsClientCertificate.subject, "CN=client");
  await assert.rejects(getSecure(server.urls.inspect));
  const stranger = { cert: readFileSync(strange.clientCert), key: readFileSync(strange.clientKey) };
  await assert.rejects(getSecure(server.urls.inspect, stranger));
  await assert.rejects(getSecure(server.urls.inspect, { maxVersion: "TLSv1.2" }));
  await waitUntil(
    async () => (await server.stats())['echo_tls_failures_total{reason="client_certificate"}'] === 3,
    "the refusals to be counted",
    longMs,
  );
});

test("--tls-min-version 1.3 refuses TLS 1.2, and 1.1 is always refused", async (t) => {
  const { server } = await startSecureServer(t, { tlsMinVersion: "1.3" });
  await assert.rejects(connectTls(t, server.port, { maxVersion: "TLSv1.2" }));
  await connectTls(t, server.port, { minVersion: "TLSv1.3" });
  const lenient = await startSecureServer(t);
  await connectTls(t, lenient.server.port, { maxVersion: "TLSv1.2" });
  await assert.rejects(
    connectTls(t, lenient.server.port, {
      minVersion: "TLSv1.1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    }),
  );
  const stats = await lenient.server.stats();
  assert.equal(stats['echo_tls_handshakes_total{version="1.2"}'], 1);
  assert.equal(stats['echo_tls_failures_total{reason="protocol"}'], 1);
});

test("applies --tls-ciphers, and refuses a list that OpenSSL does not know", async (t) => {
  const suite = "ECDHE-ECDSA-CHACHA20-POLY1305";
  const { server, files } = await startSecureServer(t, { tlsCiphers: suite });
  const socket = await connectTls(t, server.port, { maxVersion: "TLSv1.2" });
  assert.equal(socket.getCipher().name, suite);
  const { status, stderr } = spawnSync(
    process.execPath,
    [cliPath, "--tls-cert", files.cert, "--tls-key", files.key, "--tls-ciphers", "NONSENSE"],
    { encoding: "utf8", timeout: longMs },
  );
  assert.equal(status, 2);
  assert.match(stderr, /--tls-ciphers NONSENSE: /);
});

/** A self-signed certificate with a key of a kind, by openssl. */
function selfSigned(folder: string, key: readonly string[]): { tlsCert: string; tlsKey: string } {
  const [tlsKey, tlsCert] = [join(folder, "kind.key"), join(folder, "kind.crt")];
  for (const args of [
    ["genpkey", "-out", tlsKey, ...key],
    ["req", "-x509", "-key", tlsKey, "-days", "2", "-subj", "/CN=localhost", "-out", tlsCert],
  ]) {
    const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
  }
  return { tlsCert, tlsKey };
}

for (const [kind, args, client] of [
  ["RSA", ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], {}],
  ["RSA-PSS", ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"], {}],
  ["Ed25519", ["-algorithm", "ED25519"], {}],
  ["Ed448", ["-algorithm", "ED448"], { sigalgs: "ed448" }],
  [
    "secp256k1",
    ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
    { maxVersion: "TLSv1.2", ecdhCurve: "X25519:secp256k1" },
  ],
] as const) {
  toolTest("openssl", `takes a key of the kind ${kind}`, async (t) => {
    const { folder } = await makeCertificates(t);
    const server = await startServer(t, selfSigned(folder, args));
    await connectTls(t, server.port, client);
  });
}

toolTest("openssl", "cipher suites without forward secrecy are refused by both engines", async (t) => {
  const { folder } = await makeCertificates(t);
  const pair = selfSigned(folder, ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
  for (const tlsEngine of ["node", "uws"] as const) {
    const server = await startServer(t, { ...pair, tlsEngine });
    for (const ciphers of ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "AES256-SHA"]) {
      await assert.rejects(connectTls(t, server.port, { maxVersion: "TLSv1.2", ciphers }), ciphers);
    }
    await connectTls(t, server.port, { maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES128-GCM-SHA256" });
  }
});

test("a passphrase keeps its blanks, and loses one line ending", async (t) => {
  const files = await makeCertificates(t);
  const { createPrivateKey } = await import("node:crypto");
  const passphrase = " two blanks  ";
  const key = createPrivateKey(readFileSync(files.key));
  const tlsKey = join(files.folder, "blanks.key");
  writeFileSync(tlsKey, key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase }));
  const tlsPassphraseFile = join(files.folder, "blanks");
  writeFileSync(tlsPassphraseFile, `${passphrase}\r\n`);
  const server = await startServer(t, { tlsCert: files.cert, tlsKey, tlsPassphraseFile });
  const socket = connect({ host: "127.0.0.1", port: server.port, rejectUnauthorized: false });
  t.after(() => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.on("secureConnect", resolve).on("error", reject);
  });
});

test("--tls-engine uws serves, and refuses what it does not support", async (t) => {
  const { server, ca, files } = await startSecureServer(t, { tlsEngine: "uws" });
  const { ws, next } = await connectClient(t, server.urls.echo, { ca });
  ws.send("secret");
  assert.equal((await next()).data.toString(), "secret");
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      ...[cliPath, "--tls-cert", files.cert, "--tls-key", files.key, "--tls-ca", files.ca],
      ...["--tls-engine", "uws", "--tls-client-auth", "require", "--tls-min-version", "1.3"],
    ],
    { encoding: "utf8", timeout: longMs },
  );
  assert.equal(status, 2);
  assert.match(stderr, /--tls-client-auth require: .*--tls-engine node/);
  assert.match(stderr, /--tls-min-version 1.3: .*--tls-engine node/);
});
