import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { createHash, X509Certificate } from "node:crypto";
import { SILENT } from "../lib/log.ts";
import { StreamError } from "../protocol/errors.ts";
import { connect } from "./connect.ts";
import { createServices } from "./services.ts";
import type { Target, TlsTrust } from "./target.ts";

const NEVER = new AbortController().signal;
const HEAD = { service: "ui", method: "GET", path: "/x", headers: [] } as const;

interface Certificate {
  readonly key: string;
  readonly pem: string;
  readonly sha256: string;
}

/** A fresh self-signed certificate; undefined where there is no openssl. */
function certificateFor(extension: string): Certificate | undefined {
  const { stdout, status } = spawnSync("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(" "),
    ..."-keyout - -out - -subj /CN=device -addext".split(" "),
    extension,
  ], { encoding: "utf8" });
  if (status !== 0) return undefined;
  const pem = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n/.exec(stdout)?.[0];
  const key = /-----BEGIN PRIVATE KEY-----[^]*?-----END PRIVATE KEY-----\n/.exec(stdout)?.[0];
  if (!pem || !key) return undefined;
  const sha256 = createHash("sha256").update(new X509Certificate(pem).raw).digest("hex");
  return { key, pem, sha256 };
}

const DEVICE = certificateFor("subjectAltName=IP:127.0.0.1");
const OTHER = certificateFor("subjectAltName=IP:127.0.0.1");
const NAMED = certificateFor("subjectAltName=DNS:other.example");
const isMissing = !DEVICE || !OTHER || !NAMED;
if (isMissing) process.stderr.write("skipped: HTTPS tests need the openssl command\n");

interface TlsBench {
  readonly ask: (tls: TlsTrust | undefined) => Promise<string>;
  readonly requests: () => number;
}

async function withTlsServer(
  shown: Certificate,
  act: (bench: TlsBench) => Promise<void>,
): Promise<void> {
  let requests = 0;
  const server: Server = createServer({ key: shown.key, cert: shown.pem }, (request, response) => {
    requests++;
    response.end(`${request.headers.host} ${request.url}`);
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const ask = async (tls: TlsTrust | undefined) => {
    const target: Target = { type: "https", hostname: "127.0.0.1", port, tls };
    const services = createServices([{ id: "ui", title: "", target }], { log: SILENT });
    try {
      const { body } = await services.request(
        { head: { ...HEAD, kind: "http" }, body: null },
        NEVER,
      );
      const text = await new Response(body).text();
      return text === `127.0.0.1:${port} /x` ? "right" : text;
    } catch (error) {
      return error instanceof StreamError ? error.code : String(error);
    } finally {
      services.close();
    }
  };
  try {
    await act({ ask, requests: () => requests });
  } finally {
    const done = once(server, "close");
    server.close();
    server.closeAllConnections();
    await done;
  }
}

// Unverified connections are tried with one server only: Deno resumes their sessions by host, and two servers of one
// process share the keys of their tickets, so that here, and only here, one could be taken for the other.
Deno.test({
  name: "https trusts a pinned certificate whatever its name, or explicitly anything",
  ignore: isMissing,
  async fn() {
    await withTlsServer(NAMED!, async ({ ask, requests }) => {
      assert.equal(await ask({ type: "pinned", sha256: NAMED!.sha256 }), "right");
      const spelled = NAMED!.sha256.toUpperCase().replace(/..(?=.)/g, "$&:");
      assert.equal(await ask({ type: "pinned", sha256: spelled }), "right");
      assert.equal(await ask({ type: "unverified" }), "right");
      assert.equal(requests(), 3);
      assert.equal(await ask({ type: "ca", pem: NAMED!.pem }), "upstream_tls");
      assert.equal(requests(), 3);
    });
  },
});

Deno.test({
  name: "https sends no byte of a request to a service that is not the right one",
  ignore: isMissing,
  async fn() {
    await withTlsServer(DEVICE!, async ({ ask, requests }) => {
      assert.equal(await ask({ type: "ca", pem: DEVICE!.pem }), "right");
      assert.equal(requests(), 1);
      assert.equal(await ask(undefined), "upstream_tls");
      assert.equal(await ask({ type: "system" }), "upstream_tls");
      assert.equal(await ask({ type: "ca", pem: OTHER!.pem }), "upstream_tls");
      assert.equal(await ask({ type: "pinned", sha256: OTHER!.sha256 }), "upstream_tls");
      assert.equal(await ask({ type: "pinned", sha256: "" }), "upstream_tls");
      assert.equal(requests(), 1);
    });
  },
});

Deno.test("https tells a service that speaks no TLS from a wrong certificate", async () => {
  const server = createHttpServer();
  server.on("clientError", (_error, socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const target: Target = {
    type: "https",
    hostname: "127.0.0.1",
    port,
    tls: { type: "unverified" },
  };
  const warned: string[] = [];
  const log = { ...SILENT, warn: (event: string) => void warned.push(event) };
  const services = createServices([{ id: "ui", title: "", target }], { log });
  assert.deepEqual(warned, ["upstream.unverified"]);
  const request = services.request({ head: { ...HEAD, kind: "http" }, body: null }, NEVER);
  await assert.rejects(request, { code: "upstream_broken" });
  services.close();
  const done = once(server, "close");
  server.close();
  server.closeAllConnections();
  await done;
});

Deno.test("connecting has a limit, and ends with its signal", async () => {
  const server = createTcpServer(); // accepts, and never begins a TLS handshake
  const accepted: Socket[] = [];
  server.on("connection", (socket) => accepted.push(socket.resume()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const target: Target = { type: "https", hostname: "127.0.0.1", port };
  const limited = connect(target, NEVER, { limitMs: 50 });
  await assert.rejects(limited, { code: "upstream_timeout" });
  const abort = new AbortController();
  const aborted = connect(target, abort.signal);
  abort.abort();
  await assert.rejects(aborted, { code: "cancelled" });
  const done = once(server, "close");
  server.close();
  for (const socket of accepted) socket.destroy();
  await done;
});
