// /inspect: returns the request as the server received it, to test proxies in between. Any method.

import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import type { Config } from "../config/options.ts";
import { clientAddress, trustNetworks } from "./client-address.ts";
import type { Endpoint, HttpHandler } from "./endpoint.ts";
import { peerAddress } from "./headers.ts";
import { relayedPeer } from "./relayed-peer.ts";
import { json, type SendReply } from "./reply.ts";

/** A request as the server received it. */
export interface RequestDescription {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly [name: string]: unknown;
}

/** Describes a request, which must still be valid. */
export type DescribeRequest = (res: HttpResponse, req: HttpRequest) => RequestDescription;

/** @param worker number of this process, from 1 */
export function createDescribe(
  config: Pick<Config, "trustProxy" | "tlsCert" | "instance">,
  worker: number,
): DescribeRequest {
  const trusts = trustNetworks(config.trustProxy);
  return (res, req) => {
    // No prototype: a header may be called "constructor".
    const headers: Record<string, string | string[]> = Object.create(null);
    req.forEach((name, value) => {
      const seen = headers[name];
      headers[name] = seen === undefined ? value : Array.isArray(seen) ? [...seen, value] : [seen, value];
    });
    const remoteAddress = peerAddress(res);
    const forwardedFor = [headers["x-forwarded-for"] ?? []].flat().join(", ");
    return {
      method: req.getCaseSensitiveMethod(),
      path: req.getUrl(),
      query: req.getQuery() ?? "",
      headers,
      remoteAddress,
      clientAddress: clientAddress(remoteAddress, forwardedFor, trusts),
      forwardedFor: forwardedFor === "" ? null : forwardedFor,
      tls: config.tlsCert !== undefined,
      ...describeTls(res),
      worker,
      instance: config.instance === "none" ? null : config.instance,
      time: new Date().toISOString(),
    };
  };
}

/** @param hidden headers that are never shown, in lower case */
export function createInspect(
  describe: DescribeRequest,
  hidden: readonly string[],
  reply: SendReply,
): Endpoint {
  const handler: HttpHandler = (res, req) => {
    const found = describe(res, req); // first, because getMethod() makes uWS lose the case
    const isHead = req.getMethod() === "head";
    const headers = Object.fromEntries(
      Object.entries(found.headers).filter(([name]) => !hidden.includes(name)),
    );
    reply(res, "/inspect", { status: 200, ...json({ ...found, headers }), isHead });
  };
  return {
    path: "/inspect",
    methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
    summary: "JSON of the request as the server received it",
    mount: (app) => app.any("/inspect", handler),
  };
}

/** The negotiated TLS parameters, if Node terminated TLS; uWS does not expose them. */
function describeTls(res: HttpResponse) {
  const peer = relayedPeer(res);
  if (peer === undefined) {
    return {};
  }
  const { socket, isHttp2 } = peer;
  const client = socket.getPeerX509Certificate();
  return {
    httpVersion: isHttp2 ? "2" : "1.1",
    tlsVersion: socket.getProtocol(),
    tlsCipher: socket.getCipher().standardName,
    tlsServerName: socket.servername || null,
    tlsClientCertificate:
      client === undefined
        ? null
        : { subject: client.subject, issuer: client.issuer, fingerprint256: client.fingerprint256 },
  };
}
