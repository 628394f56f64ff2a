// Clients that send bad HTTP, or none. Each has a defined outcome, and the server continues to serve.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { isNewerBinary } from "../support/binary.ts";
import { connectRaw, handshake, openRaw } from "../support/raw-socket.ts";
import { type Survivor, spawnSurvivor } from "../support/survivor.ts";

const cleanups: (() => unknown)[] = [];
let server: Survivor;
before(async () => {
  server = await spawnSurvivor({ after: (action) => cleanups.push(action) });
});
after(async () => {
  for (const cleanup of cleanups) {
    await cleanup();
  }
});

const post = (headers: string, body = ""): string =>
  `POST /echo HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n${body}`;
const chunked = (body: string): string => post("Transfer-Encoding: chunked", body);

const noText = "bytes that are not text";

/** What uWS refuses at once and then closes: the status, or none where it has already begun to answer. */
const refusals: Record<string, [bytes: string | Buffer, status: number]> = {
  [noText]: [Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 7 + 13) % 256)), 505],
  "the preface of HTTP/2": ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  "a version to come": ["GET /echo HTTP/3.0\r\nHost: a\r\n\r\n", 505],
  "no version": ["GET /echo\r\n\r\n", 505],
  "the greeting of SMTP": ["EHLO example.org\r\n", 505],
  "no Host": ["GET /echo HTTP/1.1\r\nAccept: */*\r\n\r\n", 400],
  "a header that does not end": [`GET /echo HTTP/1.1\r\nHost: a\r\nX-Long: ${"x".repeat(30_000)}`, 431],
  "thousands of headers": [handshake({ X: Array<string>(5000).fill("x") }), 431],
  "a Content-Length that is not a number": [post("Content-Length: x"), 400],
  "a Content-Length below zero": [post("Content-Length: -5"), 400],
  "a Content-Length of 23 digits": [post("Content-Length: 99999999999999999999999", "abc"), 400],
  "a length and chunks": [post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400],
};

for (const [name, [bytes, status]] of Object.entries(refusals)) {
  test(`answers ${name} with ${status} and closes`, async (t) => {
    const raw = await connectRaw(t, server.authority);
    await raw.send(bytes);
    // The newer binary waits for the end of the line, which random bytes may lack.
    if (!(isNewerBinary && name === noText)) {
      assert.equal((await raw.readHead()).status, status);
    }
    await raw.ended();
    await server.assertAlive();
  });
}

for (const [name, body] of Object.entries({
  "no size": "zz\r\nhello\r\n",
  "a size below zero": "-5\r\nhello\r\n",
  "a size of 18 digits": "ffffffffffffffffff\r\nhello\r\n",
  "a bad size after a good chunk": "5\r\nhello\r\nzz\r\nhello\r\n0\r\n\r\n",
})) {
  test(`ends a POST with a chunk that has ${name}, and echoes nothing of it`, async (t) => {
    const raw = await connectRaw(t, server.authority);
    await raw.send(chunked(body));
    const answer = (await raw.ended()).toString("latin1");
    assert.doesNotMatch(answer, /\r\n0\r\n\r\n$/, "the answer must not look whole");
    await server.assertAlive();
  });
}

for (const [name, start] of Object.entries({
  "a path": "GET /",
  "a header": "GET /echo HTTP/1.1\r\nHost: a\r\nX-Long: ",
  "a method": "",
})) {
  test(`ends a connection that sends 2 MB of ${name}`, async (t) => {
    const raw = await connectRaw(t, server.authority);
    await raw.send(start + "x".repeat(2_000_000));
    // It may end by a reset, which takes the answer with it: that one comes before all is read.
    const answer = (await raw.ended()).toString("latin1");
    assert.match(answer.slice(0, 12), /^(HTTP\/1\.1 (431|505))?$/);
    await server.assertAlive();
  });
}

test("TLS on the plain port fails, and says so at once", async (t) => {
  const { hostname, port } = new URL(`http://${server.authority}`);
  const failed = await new Promise<NodeJS.ErrnoException>((resolve, reject) => {
    const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false });
    t.after(() => socket.destroy());
    socket.once("error", resolve).once("secureConnect", () => reject(new Error("it shook hands")));
  });
  assert.ok(failed.code !== undefined, `${failed}`);
  await server.assertAlive();
});

test("random bytes instead of HTTP never crash it", async (t) => {
  await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const raw = await connectRaw(t, server.authority);
      await raw.send(randomBytes(1 + i * 40));
      raw.socket.end();
      await raw.ended();
    }),
  );
  await server.assertAlive();
});

/** What uWS neither answers nor refuses: it waits for more, and closes after ten seconds however slowly it comes. */
const stalls: Record<string, [first: string, drip?: string]> = {
  "a client that never says a word": [""],
  "a handshake that never ends": [handshake().slice(0, -2)],
  "a handshake that drips, byte by byte": [handshake().slice(0, 30), "x"],
  "a handshake that drips, header by header": [handshake().slice(0, -2), "X: y\r\n"],
  "no header at all": ["GET /echo HTTP/1.1\r\n\r\n"],
  "a header without a colon": ["GET /echo HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"],
  "a folded header": ["GET /echo HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"],
  "NUL in a header": ["GET /echo HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"],
  "hundreds of headers": [handshake({ X: Array<string>(300).fill("x") })],
  "a POST whose body never comes": [post("Content-Length: 100")],
  "a POST whose body stops midway": [post("Content-Length: 100", "half of it")],
  "a POST whose body drips": [post("Content-Length: 100000", "half of it"), "x"],
  "a POST whose chunk stops midway": [chunked("5\r\nhel")],
  "a POST of an unknown transfer coding": [post("Transfer-Encoding: gzip")],
};

test("closes stalled requests after ten seconds", { concurrency: true }, async (t) => {
  await Promise.all(
    Object.entries(stalls).map(([name, [first, drip]]) =>
      t.test(name, async (t) => {
        const raw = await connectRaw(t, server.authority);
        await raw.send(first);
        let isOver = false;
        const ended = raw.ended(30_000).finally(() => {
          isOver = true;
        });
        while (drip !== undefined && !isOver) {
          await raw.send(drip);
          await sleep(200);
        }
        assert.doesNotMatch((await ended).toString("latin1"), /^HTTP\/1\.1 101/);
      }),
    ),
  );
  await server.assertAlive();
});

test("a POST that is aborted midway leaves nothing behind and does not delay a shutdown", async (t) => {
  const raws = await Promise.all(Array.from({ length: 40 }, () => connectRaw(t, server.authority)));
  await Promise.all(
    raws.map((raw, i) =>
      raw.send(i % 2 === 0 ? post("Content-Length: 1000000", "x".repeat(70_000)) : chunked("ffff\r\nhel")),
    ),
  );
  for (const [i, raw] of raws.entries()) {
    await raw.readHead();
    if (i % 4 < 2) {
      raw.socket.resetAndDestroy();
    } else {
      raw.socket.end();
    }
  }
  await server.assertAlive();
});

test("a client that resets while its upload comes back does no harm", async (t) => {
  for (let i = 0; i < 10; i++) {
    const raw = await connectRaw(t, server.authority);
    raw.socket.pause();
    raw.socket.write(post("Content-Length: 50000000", "x".repeat(8_000_000)));
    await sleep(20);
    raw.socket.resetAndDestroy();
  }
  await server.assertAlive();
});

test("pipelined requests are answered in order, until one is bad", async (t) => {
  const raw = await connectRaw(t, server.authority);
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  await raw.send(get("/livez") + get("/nothing") + get("/livez"));
  for (const status of [200, 404, 200]) {
    const head = await raw.readHead();
    assert.equal(head.status, status);
    await raw.read(Number(head.headers["content-length"]));
  }
  await raw.send(Buffer.alloc(50));
  assert.match((await raw.ended()).toString("latin1"), /^HTTP\/1\.1 505/);
  await server.assertAlive();
});

test("connections that are reset before, in and right after their handshake are forgotten", async (t) => {
  const bytes = handshake();
  const raws = await Promise.all(Array.from({ length: 100 }, () => connectRaw(t, server.authority)));
  await Promise.all(raws.map((raw, i) => raw.send(bytes.slice(0, Math.ceil((bytes.length * i) / 99)))));
  for (const { socket } of raws) {
    socket.resetAndDestroy();
  }
  await server.assertAlive();
});

test("after all of that, the server still shuts down normally", async (t) => {
  const raw = await openRaw(t, server.authority);
  const stopped = server.stop();
  assert.equal((await raw.readFrame()).payload.readUInt16BE(), 1001);
  raw.socket.end();
  assert.equal(await stopped, 0);
});
