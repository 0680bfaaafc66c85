/**
 * Our stack as a device of the transport bench: answers a browser over HTTP, echoes on channel 0
 * and sends or counts bulk data on channel 1. `deno run -A device.ts [address:port]`; prints its
 * port and process id. tests/bench/peers/pion/main.go speaks the same requests:
 *
 * - `GET /`: an empty page; browsers want the one that makes requests to come from here.
 * - `POST /offer`: a description; the answer has all candidates. Replaces the session before.
 * - `POST /send?bytes=N&size=S`: starts a transfer on the bulk channel, until the session's end.
 * - `GET /received?bytes=N&limit=MS`: waits for so many bytes on it, and no longer than the limit;
 *   gives how many have come in all, and when that was looked at, in ms.
 *
 * And alone, for tests that look at what arrives (tests/contract/gigabyte_test.ts):
 *
 * - `POST /offer?digest`: all that is sent or received on the bulk channel is digested.
 * - `GET /digest`: the digest (contract/block_digest.ts), at the end, as hexadecimal digits.
 */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { answerSdp, offerSdp, readTransport } from "../../../src/protocol/sdp.ts";
import type { DataChannel } from "../../../src/webrtc/channel.ts";
import type { WeriftPeer } from "../../../src/webrtc/peer.ts";
import { BlockDigest } from "../../contract/block_digest.ts";
import { createPeer } from "../../contract/peers.ts";

/** How long candidates are collected for the answer, in ms. */
const CANDIDATES_MS = 300;
/** Bytes on their way back on the echo channel. */
const MAX_ECHO_BYTES = 1 << 20;
/** Messages begin at so many places of the same random bytes: a prime, so that few are alike. */
const OFFSETS = 997;

class Session {
  readonly #peer: WeriftPeer;
  readonly #candidates: string[];
  readonly #bulk: DataChannel;
  readonly #open = Promise.withResolvers<void>();
  #ended = false;
  #wake = () => {};
  #received = 0;
  #arrived = () => {};
  readonly #digest: BlockDigest | undefined;

  private constructor(peer: WeriftPeer, candidates: string[], digest: BlockDigest | undefined) {
    this.#peer = peer;
    this.#candidates = candidates;
    this.#digest = digest;
    const control = peer.channel(0, "control");
    control.listen({
      open() {},
      message(bytes) {
        if (control.bufferedAmount < MAX_ECHO_BYTES) control.send(bytes);
      },
      low() {},
      close() {},
    });
    this.#bulk = peer.channel(1, "bulk");
    this.#bulk.listen({
      open: () => this.#open.resolve(),
      message: (bytes) => this.#take(bytes),
      low: () => this.#wake(),
      close: () => this.#end(),
    });
  }

  static async create(digest: BlockDigest | undefined): Promise<Session> {
    const candidates: string[] = [];
    const peer = await createPeer({
      iceServers: [],
      handlers: {
        candidate: (candidate) => void candidates.push(candidate),
        state() {},
        keyFrameWanted() {},
      },
    });
    return new Session(peer, candidates, digest);
  }

  async answer(offer: string): Promise<string> {
    const answer = await this.#peer.answer(
      offerSdp({ transport: readTransport(offer), media: [] }),
    );
    await new Promise((resolve) => setTimeout(resolve, CANDIDATES_MS));
    const sdp = answerSdp({ transport: readTransport(answer), media: [] });
    return sdp + this.#candidates.map((candidate) => `a=${candidate}\r\n`).join("");
  }

  async send(total: number, size: number): Promise<void> {
    await this.#open.promise;
    const random = randomBytes(size + OFFSETS);
    for (let [sent, count] = [0, 0]; sent < total && !this.#ended; sent += size, count++) {
      while (this.#bulk.room <= 0 && !this.#ended) {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
      const at = count % OFFSETS;
      const message = random.subarray(at, at + Math.min(size, total - sent));
      this.#digest?.add(message);
      this.#bulk.send(message);
    }
  }

  /** Waits for so many bytes since the start, or for the limit. */
  async received(bytes: number, limitMs: number): Promise<{ bytes: number; at: number }> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#arrived();
    }, limitMs);
    while (this.#received < bytes && !late && !this.#ended) {
      await new Promise<void>((resolve) => this.#arrived = resolve);
    }
    clearTimeout(timer);
    return { bytes: this.#received, at: performance.now() };
  }

  async digest(): Promise<string> {
    return await this.#digest?.hex() ?? "";
  }

  async close(): Promise<void> {
    this.#end();
    await this.#peer.close();
  }

  #take(bytes: Uint8Array): void {
    this.#received += bytes.length;
    this.#digest?.add(bytes);
    this.#arrived();
  }

  #end(): void {
    this.#ended = true;
    this.#open.resolve();
    this.#wake();
    this.#arrived();
  }
}

let session: Session | undefined;

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url!, "http://device");
  const number = (name: string) => Number(searchParams.get(name));
  if (pathname === "/") {
    return void response.setHeader("content-type", "text/html").end("<!doctype html>");
  }
  if (pathname === "/offer") {
    void session?.close(); // never rejects; the next one need not wait for it
    session = await Session.create(searchParams.has("digest") ? new BlockDigest() : undefined);
    const sdp = await session.answer(JSON.parse(await text(request)).sdp);
    return void response.end(JSON.stringify({ type: "answer", sdp }));
  }
  if (session === undefined) return void response.writeHead(409).end();
  if (pathname === "/send") {
    // deno-lint-ignore no-console -- a transfer that fails is seen in the process' output
    session.send(number("bytes"), number("size")).catch(console.error);
    return void response.writeHead(204).end();
  }
  if (pathname === "/digest") return void response.end(await session.digest());
  response.end(JSON.stringify(await session.received(number("bytes"), number("limit"))));
}

async function text(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part;
  return text;
}

const [address = "127.0.0.1", port = "0"] = (process.argv[2] ?? "").split(":").filter(Boolean);
const server = createServer((request, response) => {
  serve(request, response).catch((error) => response.writeHead(500).end(String(error)));
});
server.listen(Number(port), address, () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(JSON.stringify({ port, pid: process.pid }) + "\n");
});
