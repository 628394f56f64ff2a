// Compares the shipped proxy files with the server's options: timeouts, checks, limits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readCommandLine } from "../../../src/config/command-line.ts";
import type { Config } from "../../../src/config/options.ts";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { parseDuration } from "../../../src/lib/units.ts";
import { read } from "../../support/deploy.ts";

const nginx = read("deploy/proxies/nginx.conf");
const haproxy = read("deploy/proxies/haproxy.cfg");

/** The one value of a directive, comments aside. */
function settingOf(text: string, directive: string): string {
  const found = [...text.matchAll(new RegExp(`^ *${directive} +([^\\s;]+)`, "gm"))].map((match) => match[1]);
  assert.equal(found.length, 1, `${directive} is there once`);
  return found[0] ?? "";
}

function milliseconds(text: string, directive: string): number {
  const value = parseDuration(settingOf(text, directive));
  assert.ok(value !== undefined, directive);
  return value;
}

/** The server's options as the file's opening comment gives them. */
function serverConfig(text: string): Config {
  const [, args = ""] = /^# {3}uws-echo (.*)$/m.exec(text) ?? [];
  assert.ok(args.includes("--trust-proxy"));
  const commandLine = readCommandLine(args.split(" "), {});
  assert.ok(commandLine.action === "serve");

  return commandLine.resolved.config;
}

test("the proxies' idle timeouts are longer than the server's, whose ping comes first", () => {
  const { idleTimeout } = resolveConfig({}).config;
  assert.ok(idleTimeout > 0);
  const silences = [
    ...["proxy_read_timeout", "proxy_send_timeout"].map((name) => milliseconds(nginx, name)),
    ...["timeout tunnel", "timeout client", "timeout server"].map((name) => milliseconds(haproxy, name)),
  ];
  for (const silence of silences) {
    assert.ok(silence > idleTimeout, `${silence} ms`);
  }
});

test("HAProxy notices a server that shuts down before the server stops listening", () => {
  const [, inter = "", fall = ""] = /check port \d+ inter (\S+) fall (\d+)/.exec(haproxy) ?? [];
  const noticedMs =
    (parseDuration(inter) ?? Number.NaN) * Number(fall) + milliseconds(haproxy, "timeout check");
  assert.ok(noticedMs < serverConfig(haproxy).drainDelay, `${noticedMs} ms`);
});

test("HAProxy checks the admin port that the servers open", () => {
  const [, port] = /check port (\d+)/.exec(haproxy) ?? [];
  assert.equal(Number(port), serverConfig(haproxy).adminPort);
});

test("both send clients to the same two servers, on the default port", () => {
  const servers = ["10.0.0.11", "10.0.0.12"].map((host) => `${host}:${resolveConfig({}).config.port}`);
  assert.deepEqual(
    [...nginx.matchAll(/^ *server (\d\S+)/gm)].map((match) => match[1]),
    servers,
  );
  assert.deepEqual(
    [...haproxy.matchAll(/^ *server \w+ (\S+)/gm)].map((match) => match[1]),
    servers,
  );
  assert.deepEqual(serverConfig(nginx).trustProxy, serverConfig(haproxy).trustProxy);
});

test("nginx has a descriptor for each connection that a worker may have", () => {
  assert.ok(
    Number(settingOf(nginx, "worker_rlimit_nofile")) > Number(settingOf(nginx, "worker_connections")),
  );
});
