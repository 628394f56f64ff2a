import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { cliPath, spawnCli, spawnServer } from "../support/echo-server.ts";
import { freePort } from "../support/free-port.ts";
import { spawnOnTerminal } from "../support/terminal.ts";
import { toolTest } from "../support/tools.ts";
import { waitUntil } from "../support/wait.ts";

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawnSync(process.execPath, [cliPath, ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
}

test("prints one line for each URL that it serves", async (t) => {
  const server = await spawnServer(t);
  const base = server.authority;
  assert.deepEqual(server.urls, [
    `ws://${base}/echo`,
    `http://${base}/echo`,
    `http://${base}/inspect`,
    `http://${base}/`,
    `http://${base}/metrics`,
    `http://${base}/livez`,
    `http://${base}/readyz`,
  ]);
});

test("every problem is reported at once, with exit code 2", () => {
  const { status, stderr } = run(
    ["--nope", "--port", "70000", "--max-payload", "16 apples", "--idle-timeout", "3s"],
    {
      UWS_ECHO_WORKERS: "none",
    },
  );
  assert.equal(status, 2);
  for (const part of [
    "--nope: unknown option",
    '--port "70000": expected a whole number from 0 to 65535',
    '--max-payload "16 apples": expected a size from 1 to 1GiB',
    '--idle-timeout "3s": expected a duration from 8s to 16m in whole seconds, or 0 for off',
    'UWS_ECHO_WORKERS "none": expected a whole number from 1 to 256, or auto',
  ]) {
    assert.ok(stderr.includes(part), `${part}\n--- missing in ---\n${stderr}`);
  }
});

test("an unreadable certificate and a missing key are reported before anything listens", () => {
  const missing = run(["--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem"]);
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /--tls-cert \/nowhere\/cert.pem: ENOENT/);
  assert.match(missing.stderr, /--tls-key \/nowhere\/key.pem: ENOENT/);
  const half = run(["--tls-cert", "/nowhere/cert.pem"]);
  assert.equal(half.status, 2);
  assert.match(half.stderr, /needs both --tls-cert and --tls-key/);
});

test("--print-config shows every value and where it came from; flags win over variables", () => {
  const { status, stdout } = run(["--print-config", "--port", "9100"], {
    UWS_ECHO_PORT: "9200",
    UWS_ECHO_MAX_PAYLOAD: "64KiB",
  });
  assert.equal(status, 0);
  assert.match(stdout, /^--port +9100 +flag$/m);
  assert.match(stdout, /^--max-payload +64KiB +variable$/m);
  assert.match(stdout, /^--on-backpressure +close +default$/m);
});

test("--print-config=json is for programs, and reports a mistyped variable", () => {
  const { status, stdout, stderr } = run(["--print-config=json", "--port", "9100"], {
    UWS_ECHO_MAX_PAYLAOD: "1MiB",
  });
  assert.equal(status, 0);
  const config = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(config["port"], {
    value: 9100,
    text: "9100",
    flag: "--port",
    variable: "UWS_ECHO_PORT",
    source: "flag",
  });
  assert.match(
    stderr,
    /UWS_ECHO_MAX_PAYLAOD is not a variable of uws-echo\. Did you mean UWS_ECHO_MAX_PAYLOAD\?/,
  );
});

test("colours only terminals, unless --color is given", () => {
  const sequence = "\u001b[";
  assert.ok(!run(["--help"]).stdout.includes(sequence));
  assert.ok(run(["--help", "--color", "always"]).stdout.includes(sequence));
  assert.ok(run(["--help", "--color=always"], { NO_COLOR: "1" }).stdout.includes(sequence), "the flag wins");
  assert.ok(run(["--help"], { FORCE_COLOR: "1" }).stdout.includes(sequence));
  assert.ok(!run(["--help", "--color=never"], { FORCE_COLOR: "1" }).stdout.includes(sequence));
});

toolTest("script", "prints a banner on a terminal", async (t) => {
  const port = await freePort();
  const shell = `${process.execPath} ${cliPath} --port ${port} --host 127.0.0.1 --max-connections 100 --max-payload 1MiB`;
  const child = spawnOnTerminal(shell, { ...process.env, NO_COLOR: "1" });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
  });
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  await waitUntil(() => shown.includes("Ctrl-C stops."), "the banner");
  const [first, second, third] = shown.split("\r\n");
  assert.match(first ?? "", /^uws-echo \d+\.\d+\.\d+ on Node \d+\.\d+\.\d+, 1 worker$/);
  assert.equal(second, `Open http://127.0.0.1:${port}/ or connect to ws://127.0.0.1:${port}/echo`);
  assert.match(third ?? "", /^Limits: 100 connections, 1 MiB a message, .* buffered\. Ctrl-C stops\.$/);
  child.stdin.write("\u0003");
  assert.deepEqual(await exited, [0, null]);
});

test("--help groups the options and exits with 0; --version prints the version", () => {
  const help = run(["--help"]);
  assert.equal(help.status, 0);
  for (const group of ["Listening:", "Backpressure:", "Admission:", "TLS:", "Shutdown:"]) {
    assert.ok(help.stdout.includes(group), group);
  }
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  assert.equal(run(["--version"]).stdout, `${manifest.version}\n`);
});

for (const workers of ["1", "2"]) {
  test(`a port in use is an error, not a silent share (--workers ${workers})`, async (t) => {
    const first = await spawnServer(t, ["--workers", workers]);
    const port = first.authority.split(":")[1] ?? "";
    const second = spawnCli(t, ["--port", port, "--host", "127.0.0.1", "--workers", workers]);
    assert.equal(await second.exited, 1);
    assert.match(second.stderr(), /is in use by another program/);
    assert.equal((await fetch(`http://${first.authority}/livez`)).status, 200);
  });
}

test("a port in use by another kind of program is an error, too", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await new Promise((resolve) => other.once("listening", resolve));
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const server = spawnCli(t, ["--port", `${port}`, "--host", "127.0.0.1"]);
  assert.equal(await server.exited, 1);
  assert.match(server.stderr(), /is in use by another program/);
});

test("with --reuse-port two servers share a port", async (t) => {
  const port = String(await freePort());
  const first = await spawnServer(t, ["--reuse-port", "--port", port]);
  const second = await spawnServer(t, ["--reuse-port", "--port", port]);
  assert.equal(second.authority, first.authority);
});

test("an address of another machine, and an unknown name, are clear errors", async (t) => {
  const address = spawnCli(t, ["--port", "0", "--host", "192.0.2.1"]);
  assert.equal(await address.exited, 1);
  assert.match(address.stderr(), /does not have the address 192\.0\.2\.1/);
  const name = spawnCli(t, ["--port", "0", "--host", "no-such-host.invalid"]);
  assert.equal(await name.exited, 1);
  assert.match(name.stderr(), /the host name no-such-host\.invalid is not known/);
});

test("an admin port in use names the admin listener and its flag", async (t) => {
  const first = await spawnServer(t);
  const port = new URL(`http://${first.authority}`).port;
  const second = spawnCli(t, ["--port", "0", "--admin-port", port, "--admin-host", "127.0.0.1"]);
  assert.equal(await second.exited, 1);
  assert.match(second.stderr(), /admin address 127\.0\.0\.1 port \d+ is in use by another program/);
  assert.match(second.stderr(), /Choose another --admin-port/);
});

test("a privileged port is a clear error", async (t) => {
  if (
    process.getuid?.() !== 0 &&
    Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8")) <= 80
  ) {
    t.skip("every port is unprivileged here");
    return;
  }
  // Root may use privileged ports, so the capability is removed.
  const args = [
    "--bounding-set=-net_bind_service",
    "--inh-caps=-net_bind_service",
    process.execPath,
    cliPath,
  ];
  const { status, stderr } =
    process.getuid?.() === 0
      ? spawnSync("setpriv", [...args, "--port", "80", "--host", "127.0.0.1"], {
          encoding: "utf8",
          timeout: 60_000,
        })
      : run(["--port", "80", "--host", "127.0.0.1"]);
  assert.equal(status, 1, stderr);
  assert.match(stderr, /is privileged/);
});

test("health requests the configured server and exits with 0 or 1", async (t) => {
  const server = await spawnServer(t, ["--admin-port", "0", "--admin-host", "127.0.0.1"]);
  const admin = new URL(server.urls.find((url) => url.endsWith("/livez")) ?? "").port;
  assert.equal(run(["health", "--admin-port", admin, "--admin-host", "127.0.0.1"]).status, 0);
  server.child.kill("SIGTERM");
  await server.exited;
  const dead = run(["health", "--admin-port", admin, "--admin-host", "127.0.0.1"]);
  assert.equal(dead.status, 1);
  assert.match(dead.stderr, /ECONNREFUSED/);
});

test("warns of variables that name no option", async (t) => {
  const server = await spawnServer(t, [], {
    env: { UWS_ECHO_MAX_PAYLAOD: "1MiB", UWS_ECHO_SERVICE_HOST: "10.0.0.1" },
  });
  const warnings = server.log.filter(({ msg }) => msg.includes("is not a variable"));
  assert.deepEqual(
    warnings.map(({ msg }) => msg),
    ["UWS_ECHO_MAX_PAYLAOD is not a variable of uws-echo. Did you mean UWS_ECHO_MAX_PAYLOAD?"],
  );
});

test("logs connections at debug only", async (t) => {
  const quiet = await spawnServer(t);
  const chatty = await spawnServer(t, ["--log-level", "debug"]);
  for (const server of [quiet, chatty]) {
    const socket = connect(Number(server.authority.split(":")[1]), "127.0.0.1");
    socket.write(
      "GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await new Promise((resolve) => socket.once("data", resolve));
    socket.destroy();
  }
  await chatty.logged(({ msg }) => msg === "connection closed");
  assert.ok(chatty.log.some(({ msg, address }) => msg === "connection opened" && address === "127.0.0.1"));
  assert.ok(!quiet.log.some(({ msg }) => msg.startsWith("connection")));
});
