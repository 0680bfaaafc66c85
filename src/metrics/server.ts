/**
 * Hands out the metrics of a device over HTTP, where its configuration says so and nowhere else. Figures only: no names of
 * people, no addresses, no paths. Whoever may connect may read them, so that it listens on this machine unless told.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { CONTENT_TYPE, exposition, type Metric } from "./exposition.ts";
import { LoopLag } from "./loop_lag.ts";

/** A whole request. */
const REQUEST_LIMIT_MS = 5_000;
/** A scraper has one or two. */
const MAX_CONNECTIONS = 16;

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens. `collect` is asked at each scrape, and must be quick. Rejects with an Error that names the address. */
export async function serveMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  collect: () => readonly Metric[],
): Promise<MetricsServer> {
  const lag = new LoopLag();
  const limits = { requestTimeout: REQUEST_LIMIT_MS, headersTimeout: REQUEST_LIMIT_MS };
  const server = createServer(limits, (request, response) => {
    const isAsked = request.method === "GET" && request.url === "/metrics";
    response.setHeader("connection", "close");
    if (!isAsked) return void response.writeHead(404).end("See /metrics\n");
    const text = exposition([...collect(), ...lag.metrics()]);
    response.writeHead(200, { "content-type": CONTENT_TYPE }).end(text);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, { host, port });
  server.on("error", () => {}); // one connection that could not be accepted
  lag.start();
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      lag.stop();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const remedy = "stop what has it, or change 'metrics'";
      reject(new Error(`Cannot serve metrics on ${host}:${port}: ${remedy}`, { cause }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}
