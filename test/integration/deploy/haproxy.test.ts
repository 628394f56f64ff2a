// deploy/proxies/haproxy.cfg in a real HAProxy, in front of real servers.
import assert from "node:assert/strict";
import { type Client, connectClient } from "../../support/client.ts";
import type { Spawned } from "../../support/echo-server.ts";
import { choosePorts, haproxy, serverHosts, startBackend, startProxy } from "../../support/proxies.ts";
import { testProxy } from "../../support/proxy-suite.ts";
import { toolTest } from "../../support/tools.ts";
import { waitUntil } from "../../support/wait.ts";

testProxy(haproxy);

toolTest(
  "haproxy",
  "HAProxy sees a server drain and sends it nobody new, while those who are there stay",
  async (t) => {
    const ports = await choosePorts();
    const start = (host: (typeof serverHosts)[number], ...args: string[]): Promise<Spawned> =>
      startBackend(t, host, ports, args);
    const draining = await start(serverHosts[0], "--subprotocols", "draining", "--drain-delay", "1h");
    await start(serverHosts[1], "--subprotocols", "other");
    const { authority } = await startProxy(t, haproxy, ports);
    const connect = (): Promise<Client> =>
      connectClient(t, `ws://${authority}/echo`, { subprotocols: ["draining", "other"] });
    const leave = async ({ ws, closed }: Client): Promise<void> => {
      ws.close();
      await closed;
    };

    // One client stays at the first server and two at the other, so that a new client would get the first.
    const clients = [await connect(), await connect(), await connect(), await connect()];
    const [old, ...more] = clients.filter(({ ws }) => ws.protocol === "draining");
    assert.ok(old);
    await Promise.all(more.map(leave));
    draining.child.kill("SIGTERM");
    await waitUntil(async () => {
      const visitor = await connect();
      await leave(visitor);
      return visitor.ws.protocol === "other";
    }, "HAProxy to choose the other server");

    old.ws.send("still served");
    assert.equal((await old.next()).data.toString(), "still served");
    assert.equal(draining.child.exitCode, null);
  },
);
