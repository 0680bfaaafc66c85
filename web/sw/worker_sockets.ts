/**
 * WebSockets of workers (see web/inject/worker_socket.ts): a worker asks by fetch and names a channel; here that channel
 * is joined to a stream's port. The answer says nothing; it lasts as long as the stream.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { Bridge, Bridges } from "./bridges.ts";
import type { Cookies } from "./cookies.ts";
import type { KeepAlive } from "./keepalive.ts";
import {
  type FromPump,
  isRecord,
  parseFromPump,
  parseStreamHead,
  parseToPump,
  SOCKET_PATH,
  type StreamHead,
} from "./port_messages.ts";

/** Longest request, in characters: a head is smaller. */
const MAX_REQUEST_LENGTH = 64 << 10;
const CHANNEL_NAME = /^[\w-]{36}$/;

/** What it needs of the worker. */
export interface SocketContext {
  readonly bridges: Bridges;
  readonly keepAlive: KeepAlive;
  readonly cookies: Pick<Cookies, "settled">;
  /** The client that asked: the worker. */
  readonly page: string;
  /** Whether this client is still there. */
  pageLives(page: string): Promise<boolean>;
}

/** Answers a worker that wants a WebSocket; undefined for any other request. */
export function answerWorkerSocket(
  request: Request,
  context: SocketContext,
): Promise<Response> | undefined {
  const { pathname } = new URL(request.url);
  return pathname === SOCKET_PATH && request.method === "POST" ? open(request, context) : undefined;
}

async function open(request: Request, context: SocketContext): Promise<Response> {
  const wanted = readRequest(await request.text());
  if (wanted === undefined) return new Response(null, { status: 400 });
  await context.cookies.settled("", 0);
  const bridge = await context.bridges.find();
  if (bridge === undefined) return new Response(null, { status: 503 });
  const relay = new Relay(wanted.channel, { bridge, context });
  return new Response(relay.open(wanted.head), { headers: { "cache-control": "no-store" } });
}

function readRequest(text: string): { channel: string; head: StreamHead } | undefined {
  if (text.length > MAX_REQUEST_LENGTH) return undefined;
  const value = parseJson(text);
  if (!isRecord(value)) return undefined;
  const { channel } = value;
  const head = parseStreamHead(value.head);
  if (typeof channel !== "string" || !CHANNEL_NAME.test(channel)) return undefined;
  return head?.kind === "websocket" ? { channel, head } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One worker's socket: messages both ways until either side has ended it. */
class Relay {
  readonly #channel: BroadcastChannel;
  readonly #bridge: Bridge;
  readonly #context: SocketContext;
  #port!: MessagePort; // set by `open`
  #controller!: ReadableStreamDefaultController<Bytes>; // set by the stream that `open` makes
  #release: () => void = () => {};
  #state: "open" | "over" = "open";

  constructor(name: string, { bridge, context }: { bridge: Bridge; context: SocketContext }) {
    this.#channel = new BroadcastChannel(name);
    this.#bridge = bridge;
    this.#context = context;
  }

  open(head: StreamHead): ReadableStream<Bytes> {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#port.onmessage = ({ data }) => this.#down(data);
    this.#port.addEventListener("close", () => this.#fail());
    this.#channel.onmessage = ({ data }) => this.#up(data);
    this.#release = this.#context.keepAlive.hold(() => this.#beat());
    this.#bridge.post({ porthole: "stream", head }, port2);
    return new ReadableStream<Bytes>({
      start: (controller) => {
        this.#controller = controller;
        controller.enqueue(new Uint8Array(1)); // Firefox tells nobody of an answer without a byte
      },
      cancel: () => this.#cancel(), // the worker is gone
    });
  }

  #up(data: unknown): void {
    const message = parseToPump(data);
    if (message === undefined) return;
    this.#port.postMessage(message);
    if (message.type === "cancel") this.#over();
  }

  #down(data: unknown): void {
    const message = parseFromPump(data);
    if (message === undefined || this.#state === "over") return;
    this.#channel.postMessage(message);
    // A WebSocket that its service ended is ended by the pump on both sides.
    if (message.type === "end" || message.type === "error") this.#over();
  }

  #cancel(): void {
    this.#port.postMessage({ type: "cancel" });
    this.#over();
  }

  #fail(): void {
    this.#down({ type: "error", code: "session_closed" } satisfies FromPump);
  }

  #beat(): void {
    const { bridges, page } = this.#context;
    bridges.exists(this.#bridge.id).then(
      (there) => there || this.#fail(),
      () => this.#fail(),
    );
    this.#context.pageLives(page).then(
      (lives) => lives || this.#cancel(),
      () => {}, // not known
    );
  }

  #over(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#release();
    this.#port.close();
    this.#channel.close();
    try {
      this.#controller.close();
    } catch {
      // the worker has cancelled it
    }
  }
}
