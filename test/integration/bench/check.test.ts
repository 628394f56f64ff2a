import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { WebSocketServer } from "ws";
import type { Target } from "../../../bench/probe/conversation.ts";
import { startIdle } from "../../../bench/probe/idle.ts";
import { allChecks } from "../../../bench/probe/run.ts";
import { idleChecks } from "../../../bench/probe/silence.ts";
import { Way } from "../../../bench/probe/way.ts";
import { type CheckReport, checkSchema } from "../../../bench/result/check.ts";
import { type Cleanup, startServer } from "../../support/echo-server.ts";
import { harnessPath } from "../../support/harness.ts";
import {
  answerControl,
  type ClientMessage,
  echo,
  frame,
  type Misbehaviour,
  startMisbehavingServer,
  switchingProtocols,
} from "../../support/misbehaving-server.ts";
import { startSecureServer } from "../../support/secure.ts";
import { startSilenceRelay } from "../../support/silence-relay.ts";

const limits = { maxSizeBytes: 70_000, idleMs: 400 };
const traits = { isEcho: true, answersPings: true, isUwsEcho: false };

function targetAt(url: string, timeoutMs: number): Target {
  return {
    url,
    headers: [],
    subprotocols: [],
    origin: undefined,
    timeoutMs,
    templateLines: undefined,
    caPem: undefined,
    insecure: false,
    certPem: undefined,
    keyPem: undefined,
    servername: undefined,
    addresses: {},
    localAddress: undefined,
  };
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `uws-echo-bench check`; its exit code is not judged. */
function runCheck(args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [harnessPath, "check", ...args],
      { timeout: 60_000 },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
      },
    );
  });
}

async function reportOf(args: readonly string[]): Promise<{ code: number; report: CheckReport }> {
  const { code, stdout, stderr } = await runCheck([...args, "--json"]);
  assert.match(stdout, /^\{/, stderr);
  return { code, report: checkSchema.parse(JSON.parse(stdout)) };
}

function statusesOf({ checks }: CheckReport): Record<string, string> {
  return Object.fromEntries(checks.map(({ id, status }) => [id, status]));
}

async function startWsServer(t: Cleanup): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true });
  await once(server, "listening");
  server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  t.after(() => {
    for (const client of server.clients) {
      client.terminate();
    }
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const short = ["--idle", "300ms"];

describe("check passes everything", { concurrency: 2 }, () => {
  test("of a uws-echo", async (t) => {
    const { port } = await startServer(t, { port: 0, host: "127.0.0.1" });
    const { code, report } = await reportOf([`ws://127.0.0.1:${port}/echo`, ...short]);
    assert.deepEqual(
      report.checks.filter(({ status }) => status !== "pass"),
      [],
    );
    assert.equal(code, 0);
    assert.deepEqual([report.isEcho, report.isUwsEcho], [true, true]);
  });

  test("of a server on ws, which has no endpoint to ask for close codes", async (t) => {
    const { code, report } = await reportOf([await startWsServer(t), ...short]);
    assert.deepEqual(
      report.checks.filter(({ status }) => status !== "pass").map(({ id, status }) => [id, status]),
      [
        ["forwarded", "not-tested"],
        ["close-theirs", "not-tested"],
      ],
    );
    assert.match(
      report.checks.find(({ id }) => id === "extension")?.seen ?? "",
      /accepted: permessage-deflate/,
    );
    assert.equal(code, 0);
  });

  test("over TLS, with the certificate", async (t) => {
    const { server, files } = await startSecureServer(t, { port: 0, host: "127.0.0.1" });
    const url = `wss://localhost:${server.port}/echo`;
    const { code, report } = await reportOf([
      url,
      "--ca",
      files.ca,
      "--resolve",
      "localhost:127.0.0.1",
      ...short,
    ]);
    assert.equal(code, 0, JSON.stringify(statusesOf(report)));
    assert.match(report.checks.find(({ id }) => id === "tls")?.seen ?? "", /^TLSv1.3, .* trusted$/);
  });
});

/** Answers a handshake with the requested headers. */
function answering(lines: (request: string) => readonly string[]): Misbehaviour {
  return { handshake: (accept, request) => switchingProtocols(accept, ...lines(request)) };
}

function lateEcho(message: ClientMessage): undefined {
  setTimeout(() => message.socket.write(echo(message)), 30);
}

const heldBack = new WeakMap<ClientMessage["socket"], Buffer>();

/** Answers every two messages in the wrong order. */
function swapped(message: ClientMessage): Buffer | undefined {
  const held = heldBack.get(message.socket);
  if (held === undefined) {
    heldBack.set(message.socket, echo(message));
    return undefined;
  }
  heldBack.delete(message.socket);
  return Buffer.concat([echo(message), held]);
}

const faults: readonly (readonly [id: string, what: string, fault: Misbehaviour, seen: RegExp])[] = [
  [
    "upgrade",
    "refuses",
    { handshake: () => "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" },
    /403 Forbidden/,
  ],
  [
    "upgrade",
    "accepts another key",
    { handshake: () => switchingProtocols("d3Jvbmc=") },
    /does not match the key/,
  ],
  [
    "upgrade",
    "answers as plain HTTP",
    { handshake: () => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
    /200 OK/,
  ],
  [
    "subprotocol",
    "chooses a sub-protocol that was not offered",
    answering((request) => (/-protocol:/i.test(request) ? ["Sec-WebSocket-Protocol: other"] : [])),
    /"other", which was not offered/,
  ],
  [
    "extension",
    "chooses an extension that was not offered",
    answering((request) => (/-extensions:/i.test(request) ? ["Sec-WebSocket-Extensions: x-other"] : [])),
    /x-other, which was not offered/,
  ],
  [
    "extension",
    "agrees to compression and cannot read it",
    {
      ...answering((request) =>
        /-extensions:/i.test(request) ? ["Sec-WebSocket-Extensions: permessage-deflate"] : [],
      ),
      reply: ({ opcode }) => frame(opcode, "not compressed", { reservedBits: 0x40 }),
    },
    /accepted: permessage-deflate; /,
  ],
  [
    "headers",
    "takes no large header",
    {
      handshake: (accept, request) =>
        request.length > 1500
          ? "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n\r\n"
          : switchingProtocols(accept),
    },
    /one of 2 KiB \(431\)/,
  ],
  [
    "types",
    "returns text as binary",
    { reply: ({ payload }) => frame(2, payload) },
    /^text: it came back as binary/,
  ],
  [
    "sizes",
    "has a limit",
    {
      reply: (message) =>
        message.payload.length > 65_535 ? frame(8, Buffer.from([0x03, 0xf1])) : echo(message),
    },
    /65,535 B came back; 64 KiB: the target closed the connection with code 1009/,
  ],
  [
    "sizes",
    "damages what is long",
    {
      reply: (message) => frame(2, message.payload.length > 125 ? message.payload.fill(0) : message.payload),
    },
    /126 B: 126 B of binary came instead of 126 B of binary, with other bytes/,
  ],
  [
    "fragments",
    "takes the last frame for the message",
    { reply: (message) => (message.frames > 1 ? frame(message.opcode, "last") : echo(message)) },
    /empty frames: 4 B of text came instead/,
  ],
  [
    "interleaved",
    "answers no ping in a message",
    { onControl: (opcode, payload, socket, isWithin) => isWithin || answerControl(opcode, payload, socket) },
    /a ping between two frames of a message: no pong/,
  ],
  [
    "burst",
    "swaps messages",
    { reply: swapped },
    /200 messages that were sent at once, message 1 came in place of message 0/,
  ],
  ["ping", "answers no pings", { onControl: () => undefined }, /a ping with 0 bytes: no pong/],
  [
    "ping",
    "answers pings with other bytes",
    { onControl: (opcode, _payload, socket) => opcode === 9 && socket.write(frame(10, "other")) },
    /not those of the ping/,
  ],
  [
    "unasked-pong",
    "does not stand a pong",
    {
      onControl: (opcode, _payload, socket) =>
        opcode === 10 && socket.write(frame(8, Buffer.from([0x03, 0xea]))),
    },
    /code 1002/,
  ],
  [
    "close-ours",
    "ends without a close frame",
    { onControl: (opcode, _payload, socket) => opcode === 8 && socket.destroy() },
    /1000: it ended without a close frame/,
  ],
  [
    "close-ours",
    "keeps the connection after the close frame",
    { onControl: (opcode, payload, socket) => opcode === 8 && socket.write(frame(8, payload)) },
    /1000: answered, but the TCP connection did not end/,
  ],
  [
    "close-theirs",
    "closes with a code of its own",
    {
      handshake: (accept, _request, socket) => {
        socket.end(
          Buffer.concat([Buffer.from(switchingProtocols(accept)), frame(8, Buffer.from([0x03, 0xe8]))]),
        );
        return undefined;
      },
    },
    /1012: 1000 came/,
  ],
];

describe("check reports a server that", { concurrency: 4 }, () => {
  for (const [id, what, fault, seen] of faults) {
    test(`${what} (${id})`, async (t) => {
      const { url } = await startMisbehavingServer(t, fault);
      const check = allChecks.find((each) => each.id === id);
      assert.ok(check);
      const way = new Way(targetAt(url, 700));
      t.after(() => way.endAll());
      const finding = await check.run(way, limits);
      assert.match(finding.seen, seen);
      assert.equal(finding.status, "fails");
    });
  }

  test("answers pings before earlier messages", async (t) => {
    const { url } = await startMisbehavingServer(t, { reply: lateEcho });
    const way = new Way(targetAt(url, 10_000));
    t.after(() => way.endAll());
    const finding = await allChecks.find(({ id }) => id === "ping-answerer")?.run(way, limits);
    assert.match(finding?.seen ?? "", /5 of 5 pongs came before the echo of an earlier message/);
    assert.equal(finding?.facts["overtakes"], true);
  });
});

/** The results of three checks of idle connections. */
async function idleFindings(t: Cleanup, url: string, idleMs: number, timeoutMs = 10_000) {
  const way = new Way(targetAt(url, timeoutMs));
  t.after(() => way.endAll());
  const { probes } = await startIdle(way, idleMs, traits, new AbortController().signal);
  const known = await probes;
  return Object.fromEntries(idleChecks.map(({ id, conclude }) => [id, conclude(known, true)]));
}

describe("check reports a limit on idle connections", { concurrency: 4 }, () => {
  test("that pings do not extend", async (t) => {
    const { port } = await startMisbehavingServer(t);
    const relay = await startSilenceRelay(t, port, { silenceMs: 1000, countsPings: false });
    const found = await idleFindings(t, `ws://127.0.0.1:${relay.port}/`, 2500);
    assert.match(
      found["idle-silent"]?.advice ?? "",
      /^cuts silence after \d.*s and does not count pings; a message every \d+ ms keeps it$/,
    );
    assert.deepEqual(
      Object.values(found).map(({ status }) => status),
      ["fails", "fails", "pass"],
    );
  });

  test("that a ping extends", async (t) => {
    const { port } = await startMisbehavingServer(t);
    const relay = await startSilenceRelay(t, port, { silenceMs: 1000, countsPings: true });
    const found = await idleFindings(t, `ws://127.0.0.1:${relay.port}/`, 2500);
    assert.match(
      found["idle-silent"]?.advice ?? "",
      /^cuts silence after \d.*s; a ping every \d+ ms keeps it$/,
    );
    assert.deepEqual(
      Object.values(found).map(({ status }) => status),
      ["fails", "pass", "pass"],
    );
  });

  test("that nothing extends: a limit on lifetime", async (t) => {
    const { url } = await startMisbehavingServer(t, {
      handshake: (accept, _request, socket) => {
        setTimeout(() => socket.end(frame(8, Buffer.from([0x03, 0xe9]))), 500);
        return switchingProtocols(accept);
      },
    });
    const found = await idleFindings(t, url, 2000);
    assert.match(found["idle-silent"]?.advice ?? "", /^ends connections after .* whatever is sent/);
    assert.match(found["idle-silent"]?.seen ?? "", /code 1001/);
    assert.deepEqual(
      Object.values(found).map(({ status }) => status),
      ["fails", "fails", "fails"],
    );
  });

  test("that is silent: the connection drops without a close", async (t) => {
    const lastMs = new WeakMap<object, number>();
    const isForgotten = (socket: object): boolean => {
      const agoMs = performance.now() - (lastMs.get(socket) ?? 0);
      lastMs.set(socket, agoMs > 400 ? Number.NEGATIVE_INFINITY : performance.now());
      return agoMs > 400;
    };
    const { url } = await startMisbehavingServer(t, {
      handshake: (accept, _request, socket) => {
        lastMs.set(socket, performance.now());
        return switchingProtocols(accept);
      },
      reply: (message) => (isForgotten(message.socket) ? undefined : echo(message)),
      onControl: (opcode, payload, socket) => isForgotten(socket) || answerControl(opcode, payload, socket),
    });
    const found = await idleFindings(t, url, 1500, 600);
    assert.match(
      found["idle-silent"]?.seen ?? "",
      /the connection is dead, though nothing has ended it: no pong/,
    );
    assert.equal(found["idle-silent"]?.status, "fails");
  });
});

describe("the command check", { concurrency: 2 }, () => {
  test("compares two ways, and says which one has the fault", async (t) => {
    const { port } = await startMisbehavingServer(t);
    const relay = await startSilenceRelay(t, port, { silenceMs: 1000, countsPings: false });
    const folder = mkdtempSync(join(tmpdir(), "uws-echo-check-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const junit = join(folder, "junit.xml");
    const { code, report } = await reportOf([
      `ws://127.0.0.1:${relay.port}/`,
      ...["--direct", `ws://127.0.0.1:${port}/`, "--idle", "2500ms", "--timeout", "20s", "--junit", junit],
    ]);
    const silence = report.checks.find(({ id }) => id === "idle-silent");
    assert.equal(silence?.status, "fails");
    assert.equal(silence.direct?.status, "pass");
    assert.match(silence.advice ?? "", /^cuts silence after .*; the cause lies in between$/);
    assert.equal(code, 1);
    assert.match(
      readFileSync(junit, "utf8"),
      /<testcase name="silence"[^>]*>\s*<failure message="after [^"]*: cuts silence after/,
    );
  });

  test("tests pings, close codes and silence of a server that does not echo", async (t) => {
    const { url } = await startMisbehavingServer(t, { reply: () => frame(1, "welcome to the quiz") });
    const { code, report } = await reportOf([url, ...short, "--timeout", "2s"]);
    assert.equal(report.isEcho, false);
    const statuses = statusesOf(report);
    for (const id of ["types", "sizes", "fragments", "interleaved", "burst", "ping-answerer", "idle-data"]) {
      assert.equal(statuses[id], "not-tested", id);
    }
    for (const id of ["upgrade", "ping", "close-ours", "headers", "idle-silent", "idle-ping"]) {
      assert.equal(statuses[id], "pass", id);
    }
    assert.equal(code, 0);
  });

  test("leaves room for the other checks where a server takes few connections from one address", async (t) => {
    const { port } = await startServer(t, { port: 0, host: "127.0.0.1", maxConnectionsPerIp: 8 });
    const { code, report } = await reportOf([`ws://127.0.0.1:${port}/echo`, ...short]);
    assert.deepEqual(
      report.checks.filter(({ status }) => status === "fails"),
      [],
    );
    assert.equal(code, 0);
    const unknown = report.idle.through.filter(({ outcome }) => outcome === "unknown");
    assert.ok(unknown.length > 0);
    assert.match(unknown[0]?.ending ?? "", /429/);
    // The connection that is silent for the whole time is the first to be opened.
    assert.equal(statusesOf(report)["idle-silent"], "pass");
  });

  test("reports a refused handshake as the one thing that it could check", async (t) => {
    const { url } = await startMisbehavingServer(t, {
      handshake: () =>
        "HTTP/1.1 301 Moved\r\nLocation: wss://elsewhere.example/\r\nContent-Length: 0\r\n\r\n",
    });
    const { code, report } = await reportOf([url, ...short]);
    assert.match(report.checks[0]?.advice ?? "", /use wss:\/\/elsewhere.example\//);
    assert.deepEqual(
      report.checks.slice(1).filter(({ status }) => status !== "not-tested"),
      [],
    );
    assert.equal(code, 1);
  });

  test("exits with 3 where nothing listens, and with 2 for wrong options, naming all", async (t) => {
    const { url, kill } = await startMisbehavingServer(t);
    await kill();
    const nothing = await runCheck([url, ...short]);
    assert.equal(nothing.code, 3);
    assert.match(nothing.stderr, /error: nothing was checked: .*cannot reach 127\.0\.0\.1/);

    const wrong = await runCheck([
      "http://a/",
      "--direct",
      "b",
      "--idle",
      "1",
      "--max-size",
      "1GiB",
      "--insecure",
    ]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /"http:\/\/a\/" is not a WebSocket URL/);
    for (const what of ['"b" is not', "--idle: ", "--max-size: ", "--insecure needs a wss:// target"]) {
      assert.ok(wrong.stderr.includes(what), what);
    }
  });

  test("at Ctrl-C keeps the results so far, and writes it to a file that report reads", async (t) => {
    const { url } = await startMisbehavingServer(t);
    const folder = mkdtempSync(join(tmpdir(), "uws-echo-check-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, "check.json");
    const child = execFile(process.execPath, [harnessPath, "check", url, "--idle", "1h", "--out", file]);
    let said = "";
    child.stderr?.on("data", (text: string) => {
      said += text;
    });
    await once(child.stderr ?? child, "data");
    assert.match(said, /^Checks take about 1 h 0 min/);
    // The other checks take their time; which ones are done by then does not matter.
    setTimeout(() => child.kill("SIGINT"), 1000);
    const [code] = await once(child, "exit");
    assert.equal(code, 1);
    const report = checkSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    assert.deepEqual(report.partial, { reason: "interrupted" });
    assert.equal(statusesOf(report)["idle-silent"], "not-tested");
  });
});
