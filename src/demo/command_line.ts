import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Buffer } from "node:buffer";
// @ts-types="npm:@types/ws@8.18.2"
import { type WebSocket, WebSocketServer } from "ws";
import { hasOwnOrigin } from "./origin.ts";
import type { Workshop } from "./workshop.ts";

const SUBPROTOCOL = "workshop.v1";
const MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024;
const HELP =
  "relay on|off|toggle, status, echo TEXT, close CODE REASON; binary messages come back as they are";

/** The command line of the workshop: one WebSocket a browser, one line of text a command. */
export class CommandLine {
  readonly #workshop: Workshop;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_LIMIT_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => offered.has(SUBPROTOCOL) && SUBPROTOCOL,
  });

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
  }

  /** Takes a request to upgrade, or refuses it. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => {});
    const isHere = (request.url ?? "").split("?", 1)[0] === "/socket";
    if (!isHere) return refuse(socket, "404 Not Found");
    if (!hasOwnOrigin(request)) return refuse(socket, "403 Forbidden");
    this.#server.handleUpgrade(request, socket, head, (peer) => this.#talk(peer));
  }

  /** Breaks off all that are open. */
  close(): void {
    for (const peer of this.#server.clients) peer.terminate();
  }

  #talk(peer: WebSocket): void {
    peer.on("error", () => {}); // `ws` closes by itself
    peer.on("message", (data: Buffer, isBinary) => {
      if (isBinary) echo(peer, data);
      else this.#command(peer, data.toString());
    });
  }

  #command(peer: WebSocket, line: string): void {
    const [, word = "", rest = ""] = /^(\S*)(?: ([^]*))?$/.exec(line) ?? [];
    switch (word) {
      case "relay":
        return peer.send(this.#relay(rest));
      case "status":
        return peer.send(`relay ${this.#state()}, ${this.#workshop.celsius.toFixed(1)} °C`);
      case "echo":
        return peer.send(rest);
      case "close":
        return close(peer, rest);
      default:
        return peer.send(HELP);
    }
  }

  #relay(wish: string): string {
    if (!/^(on|off|toggle)$/.test(wish)) return "relay on|off|toggle";
    this.#workshop.switch(wish === "toggle" ? !this.#workshop.isOn : wish === "on");
    return `ok relay ${this.#state()}`;
  }

  #state(): string {
    return this.#workshop.isOn ? "on" : "off";
  }
}

/** Reads no further until the echo has left: a browser that only sends must not fill our memory. */
function echo(peer: WebSocket, data: Buffer): void {
  peer.pause();
  peer.send(data, { binary: true }, () => peer.resume());
}

function close(peer: WebSocket, rest: string): void {
  const [, code, reason] = /^([34]\d{3})(?: (.{0,40}))?$/.exec(rest) ?? [];
  if (code === undefined) peer.close();
  else peer.close(Number(code), reason);
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
