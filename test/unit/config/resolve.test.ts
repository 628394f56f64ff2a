// Covers option.ts, options.ts and resolve.ts: each kind of value, and the whole configuration.
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { readCommandLine } from "../../../src/config/command-line.ts";
import { optionGroups } from "../../../src/config/option.ts";
import {
  ConfigError,
  type ConfigInput,
  flagName,
  optionNames,
  optionRow,
  printConfig,
  resolveConfig,
  unknownVariables,
  variableName,
} from "../../../src/config/resolve.ts";

/** The value that an option gets from text on the command line. */
function read(given: ConfigInput) {
  return resolveConfig(given).config;
}

/** The problems of a configuration that cannot be used. */
function problemsOf(given: Readonly<Record<string, unknown>>, environment = {}): readonly string[] {
  try {
    resolveConfig(given, environment);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

test("with nothing given, every option has its default", () => {
  const { config, sources } = resolveConfig({});
  assert.equal(config.port, 9998);
  assert.equal(config.host, "*");
  assert.equal(config.adminPort, undefined);
  assert.equal(config.workers, 1);
  assert.equal(config.maxPayload, 16 * 1024 * 1024);
  assert.equal(config.maxBackpressure, 16 * 1024 * 1024);
  assert.equal(config.subprotocols, "any");
  assert.equal(config.compression, "off");
  assert.equal(config.idleTimeout, 50_000);
  assert.equal(config.console, true);
  assert.equal(config.goodbye, false);
  assert.equal(config.allowOrigin, "any");
  assert.deepEqual(config.trustProxy, []);
  assert.deepEqual(new Set(Object.values(sources)), new Set(["default"]));
});

test("a configuration cannot be changed afterwards", () => {
  const { config } = resolveConfig({});
  assert.throws(() => Object.assign(config, { port: 1 }), TypeError);
});

test("every option has a group of the help, a flag, a variable, and a default that is a value of its own kind", () => {
  const { config } = resolveConfig({});
  for (const name of optionNames) {
    const row = optionRow(name);
    assert.ok(optionGroups.includes(row.group), name);
    assert.match(flagName(name), /^--[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    assert.match(variableName(name), /^UWS_ECHO_[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
    assert.notEqual(row.help, "");
    const { success } = row.schema.safeParse(config[name]);
    assert.ok(
      success || config[name] === undefined || name === "trustProxy",
      `${name}: default ${config[name]}`,
    );
  }
});

test("text is read as each kind of value", () => {
  const config = read({
    port: "0",
    host: "::1",
    adminPort: "9100",
    reusePort: "yes",
    workers: "3",
    maxPayload: "64KiB",
    subprotocols: "mqtt, stomp",
    compression: "shared",
    idleTimeout: "2m",
    goodbye: "on",
    allowOrigin: "https://EXAMPLE.org:443, http://localhost:3000",
    trustProxy: "10.0.0.0/8,::1,192.168.0.1",
    console: "false",
  });
  assert.equal(config.port, 0);
  assert.equal(config.host, "::1");
  assert.equal(config.adminPort, 9100);
  assert.equal(config.reusePort, true);
  assert.equal(config.workers, 3);
  assert.equal(config.maxPayload, 65_536);
  assert.deepEqual(config.subprotocols, ["mqtt", "stomp"]);
  assert.equal(config.compression, "shared");
  assert.equal(config.idleTimeout, 120_000);
  assert.equal(config.goodbye, true);
  assert.deepEqual(config.allowOrigin, ["https://example.org", "http://localhost:3000"]);
  assert.deepEqual(config.trustProxy, ["10.0.0.0/8", "::1/128", "192.168.0.1/32"]);
  assert.equal(config.console, false);
});

test("words stand for lists, counts and off", () => {
  assert.equal(read({ subprotocols: "none" }).subprotocols, "none");
  assert.equal(read({ allowOrigin: "*" }).allowOrigin, "any");
  assert.deepEqual(read({ allowOrigin: "null" }).allowOrigin, ["null"]);
  assert.deepEqual(read({ trustProxy: "none" }).trustProxy, []);
  assert.equal(read({ adminPort: "off" }).adminPort, undefined);
  assert.equal(read({ workers: "auto" }).workers, availableParallelism());
  assert.equal(read({ idleTimeout: "0" }).idleTimeout, 0);
});

test("a program gives numbers, booleans and lists", () => {
  const config = read({
    port: 0,
    maxPayload: 4096,
    maxLifetime: 1500,
    goodbye: true,
    subprotocols: ["mqtt"],
    allowOrigin: ["http://localhost"],
    trustProxy: ["::1"],
  });
  assert.equal(config.maxPayload, 4096);
  assert.equal(config.maxLifetime, 1500);
  assert.equal(config.goodbye, true);
  assert.deepEqual(config.subprotocols, ["mqtt"]);
  assert.deepEqual(config.allowOrigin, ["http://localhost"]);
  assert.deepEqual(config.trustProxy, ["::1/128"]);
});

const refused: readonly [keyof ConfigInput, unknown, RegExp][] = [
  ["port", "http", /^--port "http": expected a whole number from 0 to 65535$/],
  ["port", "65536", /whole number from 0 to 65535/],
  ["port", "-1", /whole number from 0 to 65535/],
  ["port", 80.5, /^--port 80.5: expected a whole number/],
  ["port", Number.NaN, /whole number/],
  ["port", true, /whole number/],
  ["host", "a b", /expected an IP address, a host name or \*/],
  ["host", "", /expected an IP address/],
  ["adminPort", "on", /expected a port from 0 to 65535, or off/],
  ["workers", "0", /expected a whole number from 1 to 256, or auto/],
  ["workers", "257", /from 1 to 256, or auto/],
  ["maxPayload", "0", /expected a size from 1 to 1GiB, such as 64KiB, 16MiB or plain bytes/],
  ["maxPayload", "2GiB", /from 1 to 1GiB/],
  ["maxPayload", "16 megabytes", /expected a size/],
  ["maxPayload", "16M", /expected a size/],
  ["maxPayload", 0.5, /expected a size/],
  ["maxBuffered", "1KiB", /expected a size from 64KiB to 1024GiB/],
  // uWS aborts the process for an idle timeout of 1 to 7 s and above 960 s.
  ["idleTimeout", "7s", /from 8s to 16m in whole seconds, or 0 for off, such as 500ms, 30s or 2m/],
  ["idleTimeout", "961s", /from 8s to 16m/],
  ["idleTimeout", "8500ms", /in whole seconds/],
  ["idleTimeout", "30", /expected a duration/],
  ["idleTimeout", 7999, /from 8s to 16m/],
  ["maxLifetime", "99ms", /from 100ms to 168h, or 0 for off/],
  ["drainTimeout", "0", /^--drain-timeout "0": expected a duration from 100ms to 1h, such as/],
  ["compression", "on", /expected off, shared or dedicated/],
  ["onBackpressure", "ignore", /expected close or drop/],
  ["logLevel", "verbose", /expected fatal, error, warn, info, debug, trace or silent/],
  ["goodbye", "maybe", /expected true, 1, yes, on, false, 0, no or off/],
  ["goodbye", 1, /expected/],
  ["subprotocols", "two words", /expected any, none, or sub-protocol names \(RFC 6455 tokens\)/],
  ["subprotocols", ",", /expected any, none/],
  ["subprotocols", [], /expected any, none/],
  ["allowOrigin", "example.org", /expected any, or origins such as https:\/\/example.org/],
  ["allowOrigin", "data:text/plain,x", /expected any, or origins/],
  ["allowOrigin", "", /expected any, or origins/],
  ["trustProxy", "10.0.0.0/33", /expected none, or networks such as 10.0.0.0\/8 or ::1/],
  ["trustProxy", "proxy.local", /expected none, or networks/],
  ["trustProxy", "010.0.0.0/8", /expected none, or networks/],
  ["trustProxy", "10", /expected none, or networks/],
  ["trustProxy", "10.0.0.0/", /expected none, or networks/],
  ["trustProxy", "fe80::1%eth0", /expected none, or networks/],
  ["trustProxy", "::/129", /expected none, or networks/],
  ["tlsCert", "", /expected the path of a file/],
];

for (const [name, value, sentence] of refused) {
  test(`${flagName(name)} ${JSON.stringify(value)} is refused with what is allowed`, () => {
    const problems = problemsOf({ [name]: value });
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0] ?? "", sentence);
    assert.ok(problems[0]?.startsWith(`${flagName(name)} `), "names the flag");
  });
}

test("the ends of a range are allowed", () => {
  for (const given of [
    { port: "65535" },
    { maxPayload: "1" },
    { maxPayload: "1GiB", maxBuffered: "1GiB" },
    { idleTimeout: "8s" },
    { idleTimeout: "960s" },
    { maxLifetime: "168h" },
    { workers: "256" },
    { drainTimeout: "100ms" },
  ]) {
    assert.deepEqual(problemsOf(given), [], JSON.stringify(given));
  }
});

test("all problems are reported at once, each under the name that the value was given by", () => {
  const problems = problemsOf(
    { port: "x", workers: "0", tlsCert: "/nonexistent/cert.pem", tlsKey: "/nonexistent/key.pem" },
    { UWS_ECHO_MAX_PAYLOAD: "big", UWS_ECHO_LOG_LEVEL: "loud" },
  );
  assert.deepEqual(problems.map((problem) => problem.split(" ")[0]).sort(), [
    "--port",
    "--tls-cert",
    "--tls-key",
    "--workers",
    "UWS_ECHO_LOG_LEVEL",
    "UWS_ECHO_MAX_PAYLOAD",
  ]);
});

test("the message of the error has every problem on a line of its own", () => {
  assert.throws(
    () => resolveConfig({ port: "x", workers: "0" }),
    (error) => error instanceof ConfigError && error.message.split("\n").length === 2,
  );
});

test("an unknown option name is a problem, in a program too", () => {
  assert.deepEqual(problemsOf({ prot: 1 }), ["prot: unknown option"]);
  assert.deepEqual(problemsOf({ toString: 1 }), ["toString: unknown option"]);
});

test("flags win over variables, and variables over defaults", () => {
  const environment = { UWS_ECHO_PORT: "7000", UWS_ECHO_HOST: "127.0.0.1" };
  const { config, sources } = resolveConfig({ port: "8000" }, environment);
  assert.equal(config.port, 8000);
  assert.equal(sources.port, "flag");
  assert.equal(config.host, "127.0.0.1");
  assert.equal(sources.host, "variable");
  assert.equal(sources.workers, "default");
  assert.equal(resolveConfig({ port: 8000 }, environment, "program").sources.port, "program");
});

test("a flag makes a bad variable of the same option harmless", () => {
  assert.deepEqual(problemsOf({ port: "8000" }, { UWS_ECHO_PORT: "nonsense" }), []);
});

test("an empty variable counts as not set", () => {
  const { config, sources } = resolveConfig({}, { UWS_ECHO_PORT: "", UWS_ECHO_TLS_CERT: "" });
  assert.equal(config.port, 9998);
  assert.equal(sources.port, "default");
  assert.equal(config.tlsCert, undefined);
});

test("the variables that Kubernetes makes for Services of our names are not taken for ports", () => {
  const { config, sources } = resolveConfig(
    {},
    { UWS_ECHO_PORT: "tcp://10.96.0.12:9998", UWS_ECHO_ADMIN_PORT: "tcp://10.96.0.13:9100" },
  );
  assert.equal(config.port, 9998);
  assert.equal(config.adminPort, undefined);
  assert.equal(sources.port, "default");
});

test("reports unknown variables with the prefix of options, except those of Kubernetes", () => {
  const environment = {
    UWS_ECHO_PORT: "1",
    UWS_ECHO_MAX_PAYLAOD: "1",
    UWS_ECHO_SERVICE_HOST: "10.0.0.1",
    UWS_ECHO_SERVICE_PORT_HTTP: "9998",
    UWS_ECHO_PORT_9998_TCP_ADDR: "10.0.0.1",
    PATH: "/bin",
  };
  assert.deepEqual(unknownVariables(environment), ["UWS_ECHO_MAX_PAYLAOD"]);
});

test("one flag is enough to raise the largest message: defaults below it follow", () => {
  const config = read({ maxPayload: "1GiB" });
  assert.equal(config.maxBackpressure, 1024 ** 3);
  assert.ok(config.maxBuffered >= 1024 ** 3);
  const buffer = read({ maxBackpressure: "1GiB" });
  assert.ok(buffer.maxBuffered >= 1024 ** 3);
  assert.equal(buffer.maxPayload, 16 * 1024 * 1024);
});

test("the default of --max-connections grows with the workers, each of which has its own descriptors", () => {
  const one = read({}).maxConnections;
  assert.equal(read({ workers: 3 }).maxConnections, 3 * one);
  assert.equal(read({ workers: 3, maxConnections: 100 }).maxConnections, 100);
});

test("a default that is not below the limit stays", () => {
  assert.equal(read({ maxPayload: "1KiB" }).maxBackpressure, 16 * 1024 * 1024);
});

const contradictions: readonly [ConfigInput, RegExp][] = [
  [{ maxPayload: "2MiB", maxBackpressure: "1MiB" }, /--max-backpressure must be at least --max-payload/],
  [{ maxBuffered: "64KiB" }, /--max-buffered must be at least --max-backpressure/],
  [{ drainSpread: "10s" }, /--drain-spread must be below --drain-timeout \(10s\)/],
  [{ adminPort: "9998" }, /--admin-port must differ from --port/],
  [{ tlsCert: "cert.pem" }, /TLS needs both --tls-cert and --tls-key/],
  [{ tlsKey: "key.pem" }, /TLS needs both/],
  [{ tlsCa: "ca.pem" }, /TLS needs both/],
  [{ tlsPassphraseFile: "secret" }, /TLS needs both/],
];

for (const [given, sentence] of contradictions) {
  test(`options that contradict each other are refused: ${JSON.stringify(given)}`, () => {
    const problems = problemsOf(given);
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0] ?? "", sentence);
  });
}

test("several contradictions are reported at once", () => {
  assert.equal(problemsOf({ maxBuffered: "64KiB", drainSpread: "1h", adminPort: "9998" }).length, 3);
});

test("two listeners may both use a free port", () => {
  assert.deepEqual(problemsOf({ port: "0", adminPort: "0" }), []);
});

test("the effective configuration is printed with the source of every value, toggles as they are typed", () => {
  const printed = printConfig(
    resolveConfig({ maxPayload: "64KiB", console: false }, { UWS_ECHO_WORKERS: "2" }),
  );
  const rows = new Map(printed.split("\n").map((line) => [line.split(/\s+/)[0], line.split(/\s+/).slice(1)]));
  assert.deepEqual(
    [...rows.keys()].map((flag) => flag?.replace("--no-", "--")),
    optionNames.map(flagName),
  );
  assert.deepEqual(rows.get("--max-payload"), ["64KiB", "flag"]);
  assert.deepEqual(rows.get("--workers"), ["2", "variable"]);
  assert.deepEqual(rows.get("--admin-port"), ["off", "default"]);
  assert.deepEqual(rows.get("--trust-proxy"), ["none", "default"]);
  assert.deepEqual(rows.get("--idle-timeout"), ["50s", "default"]);
  assert.deepEqual(rows.get("--no-console"), ["flag"]);
  assert.deepEqual(rows.get("--inspect"), ["default"]);
});

test("the printed values can be typed again and mean the same", () => {
  const first = resolveConfig({
    subprotocols: "mqtt,stomp",
    allowOrigin: "https://example.org",
    trustProxy: "10.0.0.0/8",
    maxLifetime: "90s",
    adminPort: "9100",
    console: "off",
    goodbye: "on",
  });
  const args = printConfig(first)
    .split("\n")
    .map((line) => line.split(/\s+/).slice(0, -1))
    .filter(([, value]) => value !== "none")
    .flat();
  assert.ok(args.includes("--no-console") && args.includes("--goodbye"));
  const again = readCommandLine(args, {});
  assert.ok(again.action === "serve");
  assert.deepEqual(again.resolved.config, first.config);
});
