import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { get } from "node:https";
import { test } from "node:test";
import { connect } from "node:tls";
import { WebSocket } from "ws";
import { makeCertificates } from "../support/certificates.ts";
import { connectClient } from "../support/client.ts";
import { cliPath, startServer } from "../support/echo-server.ts";
import { inTime } from "../support/wait.ts";

test("serves wss:// and https:// with a certificate", async (t) => {
  const files = await makeCertificates(t);
  const server = await startServer(t, { tlsCert: files.cert, tlsKey: files.key });
  assert.match(server.urls.echo, /^wss:/);
  const ca = readFileSync(files.ca);
  const { ws, next } = await connectClient(t, server.urls.echo, { ca });
  ws.send("secret");
  assert.equal((await next()).data.toString(), "secret");
  const inspected = await new Promise<string>((resolve, reject) => {
    get(server.urls.inspect ?? "", { ca, agent: false }, (response) => {
      response.setEncoding("utf8").once("data", resolve);
    }).on("error", reject);
  });
  assert.equal(JSON.parse(inspected).tls, true);
});

test("opens an encrypted key with the passphrase of a file", async (t) => {
  const files = await makeCertificates(t);
  const server = await startServer(t, {
    tlsCert: files.cert,
    tlsKey: files.encryptedKey,
    tlsPassphraseFile: files.passphraseFile,
  });
  const { ws, next } = await connectClient(t, server.urls.echo, { ca: readFileSync(files.ca) });
  ws.send("secret");
  assert.equal((await next()).data.toString(), "secret");
});

test("with --tls-ca, a client certificate of another authority is refused", async (t) => {
  const files = await makeCertificates(t);
  const strange = await makeCertificates(t);
  const server = await startServer(t, { tlsCert: files.cert, tlsKey: files.key, tlsCa: files.ca });
  const ca = readFileSync(files.ca);
  const stranger = new WebSocket(server.urls.echo, {
    ca,
    cert: readFileSync(strange.clientCert),
    key: readFileSync(strange.clientKey),
  });
  const [error] = await inTime(once(stranger, "error"), "the stranger to be refused");
  assert.ok(error instanceof Error);
  const identity = { cert: readFileSync(files.clientCert), key: readFileSync(files.clientKey) };
  const { ws, next } = await connectClient(t, server.urls.echo, { ca, ...identity });
  ws.send("known");
  assert.equal((await next()).data.toString(), "known");
});

test("health works over TLS, and through the admin port", async (t) => {
  const files = await makeCertificates(t);
  const tls = ["--tls-cert", files.cert, "--tls-key", files.key, "--host", "127.0.0.1"];
  const health = async (args: string[]): Promise<number | null> => {
    const { spawn } = await import("node:child_process");
    const child = spawn(process.execPath, [cliPath, "health", ...tls, ...args], { stdio: "ignore" });
    return (await once(child, "exit"))[0] as number | null;
  };
  const plain = await startServer(t, { tlsCert: files.cert, tlsKey: files.key });
  assert.equal(await health(["--port", `${plain.port}`]), 0);
  const mutual = await startServer(t, {
    tlsCert: files.cert,
    tlsKey: files.key,
    tlsCa: files.ca,
    adminPort: 0,
    adminHost: "127.0.0.1",
  });
  const admin = new URL(mutual.urls.livez).port;
  assert.equal(
    await health([
      "--port",
      `${mutual.port}`,
      "--tls-ca",
      files.ca,
      "--admin-port",
      admin,
      "--admin-host",
      "127.0.0.1",
    ]),
    0,
  );
});

test("a key that does not belong to the certificate is a clear error before listening", async (t) => {
  const files = await makeCertificates(t);
  const { status, stderr } = spawnSync(
    process.execPath,
    [cliPath, "--port", "0", "--tls-cert", files.cert, "--tls-key", files.clientKey],
    { encoding: "utf8", timeout: 60_000 },
  );
  assert.equal(status, 2);
  assert.match(stderr, /does not belong to the certificate/);
});

test("plain HTTP on the TLS port does not affect other clients", async (t) => {
  const files = await makeCertificates(t);
  const server = await startServer(t, { tlsCert: files.cert, tlsKey: files.key });
  await assert.rejects(fetch(`http://127.0.0.1:${server.port}/livez`));
  const socket = connect({ port: server.port, host: "127.0.0.1", ca: readFileSync(files.ca) });
  await once(socket, "secureConnect");
  socket.destroy();
});
