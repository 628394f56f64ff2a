import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { acceptFor, createRequest, HandshakeResponse } from "../../../../bench/engine/handshake.ts";
import { switchingProtocols } from "../../../support/misbehaving-server.ts";
import { exampleScenario } from "../../../support/virtual-world.ts";

const sampleKey = "dGhlIHNhbXBsZSBub25jZQ==";
const acceptHeader = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** The outcome of a response that arrives in the given pieces before the target hangs up. */
function outcomeOf(response: string, subprotocols: string[] = [], pieceBytes = 1000) {
  const collector = new HandshakeResponse(sampleKey, subprotocols);
  const bytes = Buffer.from(response, "latin1");
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const outcome = collector.push(bytes.subarray(at, at + pieceBytes));
    if (outcome !== undefined) {
      return outcome;
    }
  }
  return collector.end();
}

function detailOf(response: string, subprotocols: string[] = []): string {
  const outcome = outcomeOf(response, subprotocols);
  return "detail" in outcome ? `${outcome.kind}: ${outcome.detail}` : "open";
}

test("computes the accept key of RFC 6455's example", () => {
  assert.equal(acceptFor(sampleKey), acceptHeader);
});

test("the request has the headers of RFC 6455 and the requested ones", () => {
  const { endpoint } = exampleScenario();
  const { bytes, key } = createRequest({
    ...endpoint,
    url: "ws://example.test:81/a/b?c=d",
    headers: [
      ["X-Test", "1"],
      ["Host", "other.test"],
    ],
    subprotocols: ["a", "b"],
    origin: "https://example.test",
  });
  const [first, ...lines] = bytes.toString().split("\r\n");
  assert.equal(first, "GET /a/b?c=d HTTP/1.1");
  assert.deepEqual(lines, [
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Protocol: a, b",
    "Origin: https://example.test",
    "X-Test: 1",
    "Host: other.test",
    "",
    "",
  ]);
  assert.equal(Buffer.from(key, "base64").length, 16);
});

test("the request offers permessage-deflate on request, as a header says it if there is one", () => {
  const { endpoint } = exampleScenario();
  const offersOf = (headers: (readonly [string, string])[]) =>
    createRequest({ ...endpoint, deflate: true, headers })
      .bytes.toString()
      .match(/^sec-websocket-extensions: .*$/gim);
  assert.deepEqual(offersOf([]), [
    "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; client_max_window_bits",
  ]);
  const own = ["sec-websocket-extensions", "permessage-deflate; server_no_context_takeover"] as const;
  assert.deepEqual(offersOf([own]), [own.join(": ")]);
});

describe("a response", () => {
  test("that is valid opens the connection, in pieces of any size, and keeps what follows", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (pieceBytes) => {
        const collector = new HandshakeResponse(sampleKey, []);
        const bytes = Buffer.from(`${switchingProtocols(acceptHeader)}frames`, "latin1");
        let opened: Buffer | undefined;
        for (let at = 0; at < bytes.length; at += pieceBytes) {
          const piece = bytes.subarray(at, at + pieceBytes);
          if (opened !== undefined) {
            opened = Buffer.concat([opened, piece]);
            continue;
          }
          const outcome = collector.push(piece);
          if (outcome !== undefined && "rest" in outcome) {
            opened = outcome.rest;
          }
        }
        assert.equal(opened?.toString(), "frames");
      }),
    );
  });

  const wrong: [string, string, string[], RegExp][] = [
    ["with a wrong accept key", switchingProtocols("nonsense"), [], /Sec-WebSocket-Accept is "nonsense"/],
    [
      "without Upgrade",
      switchingProtocols(acceptHeader).replace("Upgrade: websocket\r\n", ""),
      [],
      /no "Upgrade: websocket"/,
    ],
    [
      "without Connection",
      switchingProtocols(acceptHeader).replace("Connection: Upgrade\r\n", ""),
      [],
      /no "Connection: Upgrade"/,
    ],
    [
      "with an extension",
      switchingProtocols(acceptHeader, "Sec-WebSocket-Extensions: permessage-deflate"),
      [],
      /chose the extension/,
    ],
    [
      "with a sub-protocol unasked",
      switchingProtocols(acceptHeader, "Sec-WebSocket-Protocol: x"),
      [],
      /sub-protocol "x", which was not offered/,
    ],
    [
      "with none of the sub-protocols",
      switchingProtocols(acceptHeader),
      ["a", "b"],
      /none of the sub-protocols a, b/,
    ],
    ["that is not HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", [], /not HTTP: "SSH-2.0/],
    ["that never ends", `HTTP/1.1 101 x\r\n${"a: b\r\n".repeat(4000)}`, [], /longer than 16384 bytes/],
    ["of nothing at all", "", [], /without an answer/],
    ["that stops in the middle", "HTTP/1.1 101 Swi", [], /after "HTTP\/1.1 101 Swi"/],
  ];
  for (const [name, response, subprotocols, expected] of wrong) {
    test(`${name} is refused by name`, () => {
      assert.match(detailOf(response, subprotocols), /^handshake-invalid: /);
      assert.match(detailOf(response, subprotocols), expected);
    });
  }

  test("may choose permessage-deflate once it was offered, with what RFC 7692 allows", () => {
    const outcomeOf = (...lines: string[]) => {
      const collector = new HandshakeResponse(sampleKey, [], true);
      return collector.push(Buffer.from(switchingProtocols(acceptHeader, ...lines), "latin1"));
    };
    assert.deepEqual(outcomeOf(), { rest: Buffer.alloc(0), compression: undefined });
    assert.deepEqual(outcomeOf("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12"), {
      rest: Buffer.alloc(0),
      compression: { clientWindowBits: 15, serverWindowBits: 12, serverKeepsContext: true },
    });
    const refused = outcomeOf("Sec-WebSocket-Extensions: permessage-deflate; x=1");
    assert.ok(refused !== undefined && "kind" in refused);
    assert.match(`${refused.kind}: ${refused.detail}`, /^handshake-invalid: .*"x=1"/);
  });

  test("that refuses is shown with its status and its body's first line", () => {
    const refusals = {
      "HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nfull\nmore": /with 503 Service Unavailable: full$/,
      "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno!!": /with 403 Forbidden: no!!$/,
      "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n": /with 404 Not Found$/,
      "HTTP/1.1 429 x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nslow!\r\n0\r\n\r\n":
        /with 429 Too Many Requests: slow!$/,
      "HTTP/1.1 200 OK\r\n\r\nhello": /with 200 OK: hello$/,
    };
    for (const [response, expected] of Object.entries(refusals)) {
      assert.match(detailOf(response), /^handshake-refused: /);
      assert.match(detailOf(response), expected);
    }
  });
});
