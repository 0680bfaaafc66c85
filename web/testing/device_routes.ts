/** What the device of the tests serves. Paths say what they show. */
import { utf8 } from "../../src/lib/bytes.ts";
import type { Header } from "../../src/protocol/http.ts";
import type { DoubleStream } from "./device_double.ts";

const HTML: Header = ["content-type", "text/html; charset=utf-8"];
const TEXT: Header = ["content-type", "text/plain; charset=utf-8"];

const INDEX = `<!doctype html><html lang="en"><title>device</title>
<link rel="stylesheet" href="/style.css"><body><h1>device page</h1><script src="app.js"></script>`;

const STRICT_POLICY = "default-src 'none'; script-src 'nonce-own' 'strict-dynamic'; " +
  "connect-src 'self'; frame-ancestors 'none'; upgrade-insecure-requests";

/** Lets a test hold answers back: `release(path)` sends their second half. */
export class DeviceRoutes {
  readonly #held = new Map<string, () => void>();

  release(path: string): void {
    this.#held.get(path)?.();
  }

  readonly route = (stream: DoubleStream): void => {
    const { pathname, searchParams } = new URL(stream.head.path, "http://device");
    if (stream.head.kind === "websocket") return socket(stream, pathname);
    switch (pathname) {
      case "/":
        return answer(stream, HTML, INDEX);
      case "/second":
        return answer(stream, HTML, "<!doctype html><title>second</title><p>second page");
      case "/style.css":
        return answer(stream, ["content-type", "text/css"], "h1 { color: rgb(1, 2, 3) }");
      case "/app.js":
        return answer(stream, ["content-type", "text/javascript"], "globalThis.appRan = true");
      case "/strict":
        stream.respond(200, [
          HTML,
          ["content-security-policy", STRICT_POLICY],
          ["x-frame-options", "DENY"],
        ]);
        stream.write(
          `<!doctype html><title>strict</title><script nonce="own">globalThis.own = true</script>`,
        );
        stream.write("<script>globalThis.foreign = true</script>");
        return stream.end();
      case "/head":
        return answer(stream, ["content-type", "application/json"], JSON.stringify(stream.head));
      case "/slow":
        return this.#slow(stream);
      case "/endless":
        stream.respond(200, [TEXT]);
        return stream.write("x".repeat(1000));
      case "/cut":
        stream.respond(200, [TEXT, ["content-length", "10"]]);
        stream.write("half.");
        return void setTimeout(() => stream.reset("upstream_broken"), 50);
      case "/echo":
        return stream.onBody((body) => {
          stream.respond(200, [TEXT]);
          stream.write(body);
          stream.end();
        });
      case "/dead":
        return stream.reset("upstream_unreachable");
      case "/redirect":
        stream.respond(302, [["location", "/second"]]);
        return stream.end();
      case "/empty":
        stream.respond(204);
        return stream.end();
      case "/gzip":
        return void gzip("compressed ".repeat(1000)).then((bytes) => {
          stream.respond(200, [TEXT, ["content-encoding", "gzip"]]);
          stream.write(bytes);
          stream.end();
        });
      case "/large":
        return answer(stream, TEXT, "y".repeat(Number(searchParams.get("bytes"))));
      case "/events":
        stream.respond(200, [["content-type", "text/event-stream"]]);
        return stream.write("data: one\n\nevent: named\ndata: two\n\n");
      default:
        stream.respond(404, [TEXT]);
        stream.write("not here");
        return stream.end();
    }
  };

  #slow(stream: DoubleStream): void {
    stream.respond(200, [TEXT]);
    stream.write("first ");
    this.#held.set("/slow", () => {
      stream.write("last");
      stream.end();
    });
  }
}

function answer(stream: DoubleStream, type: Header, body: string): void {
  stream.respond(200, [type, ["content-length", String(utf8(body).length)]]);
  stream.write(body);
  stream.end();
}

function socket(stream: DoubleStream, path: string): void {
  if (path === "/ws/refused") {
    stream.respond(403);
    return stream.end();
  }
  stream.respond(101, path === "/ws/chat" ? [["sec-websocket-protocol", "chat"]] : []);
  if (path === "/ws/bye") stream.end({ code: 4001, reason: "device says bye" });
  stream.onMessage((bytes, message) => stream.write(bytes, message));
  stream.onClose((close) => path === "/ws/bye" || stream.end(close));
}

async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
