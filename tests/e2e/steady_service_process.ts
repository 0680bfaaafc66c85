/**
 * A device's page whose download and WebSocket never rest, as a process of its own: what is open while the network
 * changes must be whole afterwards. Prints its port as JSON.
 *
 *   GET /download    bytes without end, some 400 kB a second, until POST /finish; then the end of the body
 *   GET /digest      SHA-256 of what went out as the last download, in hexadecimal digits
 *   /numbers         a WebSocket: 0, 1, 2 ... as texts, twenty a second
 */
import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocketServer } from "ws";
import { printJson } from "../../src/terminal.ts";
import { seededRandom } from "../vnet/link.ts";

const PIECE_BYTES = 20_000;
const PIECE_MS = 50;

/** What the page notes is read by the test. */
const PAGE = `<!doctype html><title>steady</title><p id="state">starting</p><script type="module">
const notes = globalThis.notes = { last: -1, gaps: 0, at: 0, closed: false, bytes: 0, digest: undefined, error: undefined };
const socket = new WebSocket(new URL("/numbers", location.href.replace(/^http/, "ws")));
socket.onmessage = ({ data }) => {
  if (Number(data) !== notes.last + 1) notes.gaps++;
  notes.last = Number(data);
  notes.at = Date.now();
  document.getElementById("state").textContent = "running";
};
socket.onclose = () => notes.closed = true;
const read = async () => {
  const pieces = [];
  const reader = (await fetch("/download")).body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    notes.bytes += value.length;
    pieces.push(value);
  }
  const digest = await crypto.subtle.digest("SHA-256", await new Blob(pieces).arrayBuffer());
  notes.digest = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};
read().catch((error) => notes.error = String(error));
</script>`;

let hash: Hash = createHash("sha256");
let download:
  | { readonly response: ServerResponse; readonly timer: ReturnType<typeof setInterval> }
  | undefined;

function startDownload(response: ServerResponse): void {
  const random = seededRandom(1);
  hash = createHash("sha256");
  response.writeHead(200, { "content-type": "application/octet-stream" });
  const timer = setInterval(() => {
    if (response.writableLength > 1 << 20) return; // the tunnel does not take more now
    const piece = Buffer.from(
      Array.from({ length: PIECE_BYTES }, () => Math.floor(random() * 256)),
    );
    hash.update(piece);
    response.write(piece);
  }, PIECE_MS);
  response.on("close", () => clearInterval(timer));
  download = { response, timer };
}

const server = createServer((request, response) => {
  if (request.url === "/download") return startDownload(response);
  if (request.url === "/digest") return void response.end(hash.copy().digest("hex"));
  if (request.url === "/finish") {
    clearInterval(download?.timer);
    download?.response.end();
    return void response.end();
  }
  response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
});
new WebSocketServer({ server, path: "/numbers" }).on("connection", (socket) => {
  let next = 0;
  const timer = setInterval(() => socket.send(String(next++)), 50);
  socket.on("error", () => {});
  socket.on("close", () => clearInterval(timer));
});
server.listen(0, "127.0.0.1", () => {
  printJson({ port: (server.address() as AddressInfo).port });
});
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
