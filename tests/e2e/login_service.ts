/**
 * A device's web server that knows people: by a form and cookies, by Basic, by Digest. What it saw is kept for the test.
 *
 *   /                 a form that posts to /login; shows who is signed in, which "round" came, and what scripts see
 *   /login, /logout   set and delete a session cookie (HttpOnly) and a readable CSRF cookie named by the visible port
 *   /who              the Cookie header as it came, and the CSRF header; POST without the right one is 403
 *   /set?line=…       answers with that Set-Cookie line
 *   /basic/…  /digest/…  want a password; every third answer to Digest is about a stale nonce. /digest/ takes MD5 and
 *                     SHA-256, /digest-md5/ and /digest-sess/ what they say
 *   /socket           a WebSocket that tells its own handshake's Cookie and Authorization
 */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocketServer } from "ws";

const HOST = "127.0.0.1";

export const USER = "maker";
export const PASSWORD = "p@ss:wörd#1%";

const SESSION = "session-4711-secret";
const STALE_EVERY = 3;

/** What each area takes. What is right here is also right to curl. */
const DIGEST_AREAS: ReadonlyMap<string, readonly string[]> = new Map([
  ["digest", ["MD5", "SHA-256"]],
  ["digest-md5", ["MD5"]],
  ["digest-sess", ["SHA-256-sess"]],
]);

const PAGE = `<!doctype html><meta charset="utf-8"><title>Who</title>
<h1>Login service</h1><p id="who">WHO</p><p id="sent">SENT</p><p id="seen"></p>
<form method="post" action="/login"><input name="user"><button>Enter</button></form>
<script>
const show = () => document.querySelector("#seen").textContent = document.cookie;
show();
setInterval(show, 50);
</script>`;

/** See the head of this file. Dispose of it. */
export class LoginService implements AsyncDisposable {
  /** Authorization headers as they came, by path. */
  readonly authorizations: string[] = [];
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  #nonce = randomBytes(8).toString("hex");
  #uses = 0;
  readonly #oldNonces = new Set<string>();
  /** nc values that were used with the nonce. */
  readonly #counts = new Set<string>();
  staleAnswers = 0;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.on("upgrade", (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (client) => {
        client.send(JSON.stringify({
          cookie: request.headers.cookie ?? "",
          authorization: request.headers.authorization ?? "",
        }));
      });
    });
  }

  static async start(): Promise<LoginService> {
    const service = new LoginService();
    service.#server.listen(0, HOST);
    await once(service.#server, "listening");
    return service;
  }

  get url(): string {
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", this.url);
    request.resume();
    if (url.pathname.startsWith("/basic/")) return this.#basic(request, response);
    const area = url.pathname.split("/")[1]!; // paths begin with a slash
    if (DIGEST_AREAS.has(area)) return this.#digest(request, { response, area });
    switch (url.pathname) {
      case "/login":
        response.setHeader("set-cookie", [
          `session=${SESSION}; HttpOnly; Path=/; SameSite=Strict`,
          `csrf_token${suffix(request)}=t0ken; Path=/`,
        ]);
        return void response.writeHead(303, { location: "/" }).end();
      case "/logout":
        response.setHeader("set-cookie", [
          "session=; Max-Age=0; Path=/",
          `csrf_token${suffix(request)}=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/`,
        ]);
        return void response.writeHead(303, { location: "/" }).end();
      case "/who":
        return this.#who(request, response);
      case "/set":
        response.setHeader("set-cookie", url.searchParams.getAll("line"));
        return void response.end("set");
      default:
        response.setHeader("content-type", "text/html");
        return void response.end(
          PAGE.replace("WHO", isSignedIn(request) ? "signed in" : "nobody")
            .replace("SENT", () => String(/round=\d+/.exec(request.headers.cookie ?? ""))),
        );
    }
  }

  #who(request: IncomingMessage, response: ServerResponse): void {
    const csrf = request.headers["x-csrf-token"] ?? "";
    const isRight = csrf === "t0ken" &&
      (request.headers.cookie ?? "").includes(`csrf_token${suffix(request)}=t0ken`);
    if (request.method === "POST" && !isRight) response.statusCode = 403;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ cookie: request.headers.cookie ?? "", csrf }));
  }

  #basic(request: IncomingMessage, response: ServerResponse): void {
    const right = `Basic ${
      btoa(String.fromCharCode(...new TextEncoder().encode(`${USER}:${PASSWORD}`)))
    }`;
    const { authorization } = request.headers;
    if (authorization !== undefined) this.authorizations.push(authorization);
    if (authorization === right) return welcome(response, "Basic");
    response.writeHead(401, { "www-authenticate": 'Basic realm="Wörkshop <b>", charset="UTF-8"' });
    response.end("native 401");
  }

  #digest(
    request: IncomingMessage,
    { response, area }: { response: ServerResponse; area: string },
  ): void {
    const { authorization } = request.headers;
    if (authorization !== undefined) this.authorizations.push(authorization);
    const stale = ++this.#uses % STALE_EVERY === 0;
    if (authorization !== undefined && !stale && this.#isRight(request, { authorization, area })) {
      return welcome(response, "Digest");
    }
    const nonce = /[ ,]nonce="([^"]*)/.exec(authorization ?? "")?.[1] ?? "";
    const isOld = this.#oldNonces.has(nonce) || (stale && nonce !== "");
    if (isOld) this.staleAnswers++;
    if (stale) {
      this.#oldNonces.add(this.#nonce);
      this.#nonce = randomBytes(8).toString("hex");
      this.#counts.clear();
    }
    const fields =
      `realm="${area}", qop="auth", nonce="${this.#nonce}", opaque="o", stale=${isOld}`;
    const challenges = DIGEST_AREAS.get(area)!.map((name) => `Digest ${fields}, algorithm=${name}`);
    response.setHeader("www-authenticate", challenges);
    response.statusCode = 401;
    response.end("native 401");
  }

  #isRight(
    { method, url }: IncomingMessage,
    { authorization, area }: { authorization: string; area: string },
  ): boolean {
    const field = (name: string) =>
      new RegExp(`[ ,]${name}="?([^",]*)`).exec(authorization)?.[1] ?? "";
    const [count, clientNonce, algorithm] = [field("nc"), field("cnonce"), field("algorithm")];
    if (field("nonce") !== this.#nonce || this.#counts.has(count)) return false;
    if (!DIGEST_AREAS.get(area)!.includes(algorithm)) return false;
    this.#counts.add(count);
    const name = algorithm.startsWith("MD5") ? "md5" : "sha256";
    const hash = (text: string) => createHash(name).update(text).digest("hex");
    const plain = hash(`${USER}:${area}:${PASSWORD}`);
    const isSession = algorithm.endsWith("-sess");
    const secret = isSession ? hash(`${plain}:${this.#nonce}:${clientNonce}`) : plain;
    const asked = hash(`${method}:${url}`);
    const wanted = hash(`${secret}:${this.#nonce}:${count}:${clientNonce}:auth:${asked}`);
    return field("response") === wanted && field("uri") === url;
  }
}

function welcome(response: ServerResponse, how: string): void {
  response.setHeader("content-type", "text/html");
  response.end(`<!doctype html><title>In</title><h1>Welcome by ${how}</h1>`);
}

/** As OctoPrint does it: the port that the person sees. */
function suffix(request: IncomingMessage): string {
  return `_P${request.headers["x-forwarded-port"] ?? request.socket.localPort}`;
}

function isSignedIn(request: IncomingMessage): boolean {
  return (request.headers.cookie ?? "").split("; ").includes(`session=${SESSION}`);
}

export const SECRETS: readonly string[] = [PASSWORD, SESSION, "t0ken"];
