/**
 * The device under attack, a process of its own, so that a crash, a hang or a full memory is seen
 * from outside: `deno run -A --v8-flags=--expose-gc device.ts TARGET`. Its sessions echo what
 * arrives on channel 0. It is told what to do over HTTP and prints one line: port and process id.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";

/** One session's description of itself. */
export interface OpenedSession {
  readonly answer: string;
  readonly candidates: readonly string[];
}

/** A stack that can be attacked: takes an offer, echoes on channel 0, says where it stands. */
export interface Stack {
  open(offer: string): Promise<OpenedSession>;
  /** One word for each session so far. */
  states(): string[];
  /** One word for what an outsider could change in each session's ICE. */
  paths(): string[];
  /** Its own counts of datagrams, where it has any. */
  counts(): Readonly<Record<string, number>>;
}

/** Longest request, in characters: an offer of werift has 1500. */
const MAX_REQUEST_CHARACTERS = 65_536;

const kind = process.argv[2];
const { stack } = await import(kind === "stock" ? "./stock.ts" : "./ours.ts") as { stack: Stack };

const server = createServer((request, response) => {
  serve(request, response).catch((error) => response.writeHead(500).end(String(error)));
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(JSON.stringify({ port, pid: process.pid }) + "\n");
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === "/open") {
    return void response.end(JSON.stringify(await stack.open(await text(request))));
  }
  if (request.url === "/look") {
    return void response.end(JSON.stringify({
      states: stack.states(),
      paths: stack.paths(),
      counts: stack.counts(),
      keptBytes: keptBytes(),
    }));
  }
  response.end(); // a sign of life
}

async function text(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request.setEncoding("utf8")) {
    text += part;
    if (text.length > MAX_REQUEST_CHARACTERS) throw new Error("Cannot read request: too long");
  }
  return text;
}

/** Memory that is in use after everything unused was given back, in bytes. */
function keptBytes(): number {
  (globalThis as unknown as { gc(): void }).gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
