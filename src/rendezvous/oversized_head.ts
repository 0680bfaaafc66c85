/**
 * The answer to a request whose head is too long. That is mostly cookies, of which we need none: a device's page below
 * the shell's own domain may have set them for all names there, to keep a person out. They are taken away
 * (Clear-Site-Data 3.1: for the whole registrable domain, so those of the domain's other sites too), and the page loads
 * itself again. The parser has given up by then: this is written by hand, and names nothing of the request.
 */
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";

/** What is still read and thrown away: browsers keep 180 cookies of 4 KiB for a domain. */
const DISCARDED_BYTES = 1 << 20;
/** How long; a socket that is closed while bytes arrive is reset, and its answer lost (RFC 9112 9.6). */
const DISCARDED_MS = 5_000;

/**
 * Firefox heeds Clear-Site-Data for the very host alone, and the domain's cookies are its parents': the page expires all
 * that it sees itself. Then it reloads: a refresh in the markup only scrolls where the address has a fragment.
 */
const SCRIPT = `
const names = document.cookie.split("; ").map((cookie) => cookie.split("=")[0]);
const labels = location.hostname.split(".");
const domains = labels.map((_, index) => "; domain=" + labels.slice(index).join("."));
const steps = location.pathname.split("/");
const paths = steps.flatMap((_, index) => [steps.slice(0, index).join("/"), steps.slice(0, index).join("/") + "/"]);
for (const path of [...paths, location.pathname]) {
  for (const domain of ["", ...domains]) {
    for (const name of names) {
      const expired = name + "=; max-age=0; path=" + (path || "/") + domain;
      document.cookie = expired;
      document.cookie = expired + "; secure; partitioned";
    }
  }
}
setTimeout(() => location.reload(), 2000);
`;
const SCRIPT_HASH = createHash("sha256").update(SCRIPT).digest("base64");

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Too many cookies</title>
<h1>Too many cookies</h1>
<p>Your browser sent more than this server reads, probably cookies that another page set. This page asked your browser to
delete them and loads itself again. If it stays like this, clear the cookies of this site in the browser’s settings.</p>
<p><a href="">Load again</a></p>
<script>${SCRIPT}</script>
`;

const ANSWER = [
  "HTTP/1.1 431 Request Header Fields Too Large",
  `Clear-Site-Data: "cookies"`,
  "Cache-Control: no-store",
  `Content-Security-Policy: default-src 'none'; script-src 'sha256-${SCRIPT_HASH}'; ` +
  "base-uri 'none'; form-action 'none'",
  "Content-Type: text/html; charset=utf-8",
  `Content-Length: ${new TextEncoder().encode(PAGE).length}`,
  "Referrer-Policy: no-referrer",
  "X-Content-Type-Options: nosniff",
  "Connection: close",
  "",
  PAGE,
].join("\r\n");

/** Whether a server's `clientError` says that a head is longer than `maxHeaderSize`. */
export function isOversizedHead(error: NodeJS.ErrnoException): boolean {
  return error.code === "HPE_HEADER_OVERFLOW";
}

/** Answers such requests; the parser may complain of the same socket more than once. */
export class OversizedHeads {
  readonly #answered = new WeakSet<Duplex>();

  answer(socket: Duplex): void {
    if (this.#answered.has(socket)) return;
    this.#answered.add(socket);
    socket.on("error", () => socket.destroy());
    if (!socket.writable) return void socket.destroy();
    socket.end(ANSWER);
    discardRest(socket);
  }
}

function discardRest(socket: Duplex): void {
  let left = DISCARDED_BYTES;
  const timer = setTimeout(() => socket.destroy(), DISCARDED_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.once("end", () => socket.destroy());
  socket.removeAllListeners("data"); // the parser would complain of every further piece
  socket.on("data", (bytes: Uint8Array) => {
    left -= bytes.length;
    if (left < 0) socket.destroy();
  });
  socket.resume();
}
