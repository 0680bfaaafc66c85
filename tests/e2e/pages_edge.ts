/**
 * What stands before the rendezvous in these tests and writes down every request that a browser sends there: what slips
 * past the service worker shows here, whatever the browser. It passes everything on.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";

const HOST = "127.0.0.1";
const OURS = /^\/\.porthole\/[a-z_]+\.(?:js|html)$/;

/** See the head of this file. Dispose of it. */
export class CountingEdge implements AsyncDisposable {
  /** Requests to content origins for anything but our own files: path and query. */
  readonly strays: string[] = [];
  /** By path: text that stands behind a file of ours, as if it were of a newer version. */
  readonly added = new Map<string, string>();
  readonly #server: Server;
  readonly #upgraded = new Set<{ destroy(): void }>();
  readonly #target: () => number;

  private constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer((incoming, outgoing) => {
      this.#note(incoming);
      const { method, url } = incoming;
      const added = this.added.get(url ?? "");
      const headers = { ...incoming.headers };
      if (added !== undefined) {
        for (const name of ["if-none-match", "accept-encoding"]) delete headers[name];
      }
      const forward = request({ host: HOST, port: this.#target(), method, path: url, headers });
      forward.on("response", (answer) => {
        if (added !== undefined) {
          for (const name of ["content-length", "etag"]) delete answer.headers[name];
        }
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing, { end: added === undefined });
        if (added !== undefined) answer.on("end", () => outgoing.end(added));
      });
      forward.on("error", () => outgoing.destroy());
      incoming.pipe(forward);
    });
    this.#server.on("upgrade", (incoming, socket, head) => {
      this.#note(incoming);
      const far = connect(this.#target(), HOST);
      this.#upgraded.add(socket).add(far);
      const lines = incoming.rawHeaders.map((text, index) =>
        index % 2 === 0 ? `${text}: ` : `${text}\r\n`
      );
      far.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines.join("")}\r\n`);
      far.write(head);
      far.pipe(socket).on("error", () => far.destroy());
      socket.pipe(far).on("error", () => socket.destroy());
    });
  }

  /** `target` is the port of the rendezvous. */
  static async start(target: () => number): Promise<CountingEdge> {
    const edge = new CountingEdge(target);
    edge.#server.listen(0, HOST);
    await once(edge.#server, "listening");
    return edge;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#upgraded) socket.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #note({ headers, url = "" }: IncomingMessage): void {
    const isContent = !(headers.host ?? "").startsWith("porthole.localhost");
    if (isContent && !OURS.test(url) && url !== "/favicon.ico") this.strays.push(url);
  }
}
