// The PROXY protocol, which uWebSockets.js reads from any client: the server must not take a client's address from it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { startServer } from "../../support/echo-server.ts";
import { inTime } from "../../support/wait.ts";

/** A header of version 2: TCP over IPv4 from 203.0.113.66, port 12345, to 127.0.0.1, port 80. */
const proxyHeader = Buffer.from("0d0a0d0a000d0a515549540a2111000ccb0071427f00000130390050", "hex");

for (const trustProxy of ["none", "127.0.0.1"]) {
  test(`a PROXY protocol header changes no address, with --trust-proxy ${trustProxy}`, async (t) => {
    const server = await startServer(t, { trustProxy });
    const { hostname, port } = new URL(server.urls.inspect ?? "");
    const socket = connect(Number(port), hostname);
    t.after(() => socket.destroy());
    const request = Buffer.from(`GET /inspect HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
    socket.write(Buffer.concat([proxyHeader, request]));
    const [answer] = await inTime(once(socket.setEncoding("utf8"), "data"), "an answer");
    assert.match(answer, /^HTTP\/1\.1 200 OK/);
    const { remoteAddress, clientAddress } = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")));
    assert.deepEqual([remoteAddress, clientAddress], ["127.0.0.1", "127.0.0.1"]);
  });
}
