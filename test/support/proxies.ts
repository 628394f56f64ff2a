// Runs nginx and HAProxy with the files of deploy/proxies in front of real servers, all on loopback.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificates } from "./certificates.ts";
import { read } from "./deploy.ts";
import { type Cleanup, type Spawned, spawnServer } from "./echo-server.ts";
import { freePort } from "./free-port.ts";
import { waitUntil } from "./wait.ts";

// Debian installs them here, which is not on every user's path.
process.env["PATH"] += ":/usr/sbin";

/** Addresses of the servers: of one machine, but two. The proxy connects to both from 127.0.0.1. */
export const serverHosts = ["127.0.0.11", "127.0.0.12"] as const;

/** Ports that both servers have, each on its own address. */
export interface Ports {
  readonly echo: number;
  readonly admin: number;
}

/** Chosen before the servers start, so that a restarted server gets the same ports. */
export async function choosePorts(): Promise<Ports> {
  return { echo: await freePort(), admin: await freePort() };
}

/** A text of a shipped file and its replacement in the test. */
type Substitution = readonly [shipped: string, here: string];

interface Place {
  readonly folder: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly cert: string;
  readonly key: string;
}

/** One of the two proxies: its shipped file, and how to run its program. */
export interface ProxyProgram {
  readonly program: "nginx" | "haproxy";
  readonly file: string;
  /** Replacements for this machine, besides the servers' addresses. */
  substitutions(place: Place): readonly Substitution[];
  checkArgs(config: string): readonly string[];
  runArgs(config: string, folder: string): readonly string[];
}

export const nginx: ProxyProgram = {
  program: "nginx",
  file: "deploy/proxies/nginx.conf",
  substitutions: ({ folder, httpPort, httpsPort, cert, key }) => {
    const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    for (const kind of kinds) {
      mkdirSync(join(folder, kind), { recursive: true });
    }
    return [
      ["listen 80 ", `listen 127.0.0.1:${httpPort} `],
      ["listen 443 ", `listen 127.0.0.1:${httpsPort} `],
      ["/etc/ssl/uws-echo/fullchain.pem", cert],
      ["/etc/ssl/uws-echo/privkey.pem", key],
      // A test may have fewer descriptors than a proxy should.
      ["worker_rlimit_nofile 65536;", ""],
      ["worker_connections 32768;", "worker_connections 512;"],
      // nginx creates these folders at the start even if they stay empty.
      ["http {", ["http {", ...kinds.map((kind) => `${kind}_temp_path ${join(folder, kind)};`)].join("\n")],
    ];
  },
  checkArgs: (config) => ["-t", "-e", "stderr", "-c", config, "-g", `pid ${config}.pid;`],
  runArgs: (config) => ["-e", "stderr", "-c", config, "-g", `daemon off; pid ${config}.pid;`],
};

export const haproxy: ProxyProgram = {
  program: "haproxy",
  file: "deploy/proxies/haproxy.cfg",
  substitutions: ({ folder, httpPort, httpsPort, cert, key }) => {
    const both = join(folder, "uws-echo.pem");
    writeFileSync(both, readFileSync(cert, "utf8") + readFileSync(key, "utf8"));
    return [
      ["bind :80\n", `bind 127.0.0.1:${httpPort}\n`],
      ["bind :443 ", `bind 127.0.0.1:${httpsPort} `],
      ["/etc/haproxy/uws-echo.pem", both],
      // A test may have fewer descriptors than a proxy should, and cannot change its user unless it is root.
      ["maxconn 32000", "maxconn 500"],
      ...(process.getuid?.() === 0
        ? []
        : ([
            ["  user haproxy\n", ""],
            ["  group haproxy\n", ""],
          ] as const)),
    ];
  },
  checkArgs: (config) => ["-c", "-dW", "-f", config],
  runArgs: (config) => ["-db", "-f", config],
};

/** A running proxy. */
export interface Proxy {
  /** Its address, such as `127.0.0.1:34567`. */
  readonly authority: string;
  /** The same with TLS, and the authority to trust. */
  readonly tlsAuthority: string;
  readonly ca: string;
}

/**
 * Starts a proxy from its shipped file and waits until it answers.
 * @param timeout stands in for every `75s` of the file, where a test cannot wait that long
 */
export async function startProxy(
  t: Cleanup,
  { program, file, substitutions, checkArgs, runArgs }: ProxyProgram,
  ports: Ports,
  timeout = "75s",
): Promise<Proxy> {
  const folder = mkdtempSync(join(tmpdir(), `uws-echo-${program}-`));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { ca, cert, key } = await makeCertificates(t);
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const config = join(folder, program);
  const place = { folder, httpPort, httpsPort, cert, key };
  const text = substitute(read(file), [
    ...substitutions(place),
    ["10.0.0.11:9998", `${serverHosts[0]}:${ports.echo}`],
    ["10.0.0.12:9998", `${serverHosts[1]}:${ports.echo}`],
    ...(program === "haproxy" ? [["check port 9999", `check port ${ports.admin}`] as const] : []),
  ]);
  writeFileSync(config, text.replaceAll("75s", timeout));

  const check = spawnSync(program, checkArgs(config), { encoding: "utf8" });
  assert.equal(check.status, 0, check.stdout + check.stderr);
  assert.doesNotMatch(check.stderr, /\[(warn|WARNING)/i, "the file passes without a warning");

  const child = spawn(program, runArgs(config, folder), { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  const exited = once(child, "exit");
  t.after(async () => {
    // Not SIGKILL: the master of nginx must live to end its workers.
    child.kill("SIGTERM");
    await exited;
  });
  const authority = `127.0.0.1:${httpPort}`;
  await waitUntil(async () => {
    assert.equal(child.exitCode, null, `${program} has ended: ${output}`);
    return fetch(`http://${authority}/inspect`).then(
      async (answer) => (await answer.text()) !== "" && answer.ok,
      () => false,
    );
  }, `${program} answers`);
  return { authority, tlsAuthority: `127.0.0.1:${httpsPort}`, ca };
}

function substitute(text: string, substitutions: readonly Substitution[]): string {
  return substitutions.reduce((changed, [shipped, here]) => {
    assert.equal(changed.split(shipped).length, 2, `the file has ${JSON.stringify(shipped)} once`);
    return changed.replace(shipped, () => here);
  }, text);
}

/** A server at one of the two addresses, which trusts the proxy. */
export function startBackend(
  t: Cleanup,
  host: (typeof serverHosts)[number],
  ports: Ports,
  args: readonly string[] = [],
): Promise<Spawned> {
  return spawnServer(t, [
    ...["--host", host, "--port", String(ports.echo), "--trust-proxy", "127.0.0.1"],
    ...["--admin-host", host, "--admin-port", String(ports.admin), ...args],
  ]);
}
