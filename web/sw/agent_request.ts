/** A request of our own to the agent, through the same bridge and stream as a page's. */
import type { Bytes } from "../../src/lib/bytes.ts";
import { URGENCY_HEADER } from "../../src/protocol/urgency.ts";
import type { Bridges } from "./bridges.ts";
import { Exchange } from "./exchange.ts";
import type { KeepAlive } from "./keepalive.ts";
import type { StreamHead } from "./port_messages.ts";

/** Bytes of an answer that are read: a jar's state is the longest. */
const MAX_ANSWER_BYTES = 128 << 10;

/** Times that it is tried: a session that just ended is followed by another. */
const ATTEMPTS = 2;

/** What it needs of the worker. */
export interface AgentContext {
  readonly bridges: Bridges;
  readonly keepAlive: KeepAlive;
}

/** What the agent answered. */
export interface AgentAnswer {
  readonly status: number;
  readonly text: string;
}

/** Sends a JSON body by POST, or a GET without one. Undefined when no agent answered; then it may or may not have been taken. */
export async function askAgent(
  context: AgentContext,
  request: { path: string; body?: string },
): Promise<AgentAnswer | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const answer = await askOnce(context, request);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

async function askOnce(
  { bridges, keepAlive }: AgentContext,
  { path, body }: { path: string; body?: string },
): Promise<AgentAnswer | undefined> {
  const bridge = await bridges.find();
  if (bridge === undefined) return undefined;
  const exchange = new Exchange({
    keepAlive,
    exists: (id) => bridges.exists(id),
    wanted: () => Promise.resolve(true),
  });
  const answer = await exchange.run(bridge, body === undefined ? getOf(path) : postOf(path, body));
  if (answer === "session_closed") bridges.distrust();
  if (typeof answer === "string") return undefined;
  const text = await readText(exchange.body);
  return text === undefined ? undefined : { status: answer.status, text };
}

/** Pages wait for it. */
const AWAITED = [URGENCY_HEADER, "page"] as const;

type OwnRequest = { readonly head: StreamHead; readonly body: ReadableStream<Uint8Array> | null };

function getOf(path: string): OwnRequest {
  return { head: { kind: "http", method: "GET", path, headers: [AWAITED] }, body: null };
}

function postOf(path: string, body: string): OwnRequest {
  const bytes = new TextEncoder().encode(body);
  const length = String(bytes.length);
  const type = "application/json";
  const headers = [["content-type", type], ["content-length", length], AWAITED] as const;
  return {
    head: { kind: "http", method: "POST", path, headers },
    body: new Blob([bytes]).stream(),
  };
}

/** Undefined for a body that breaks off or is too long. */
async function readText(body: ReadableStream<Bytes>): Promise<string | undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      length += part.value.length;
      if (length > MAX_ANSWER_BYTES) throw new RangeError("Cannot read an answer: too long");
      text += decoder.decode(part.value, { stream: true });
    }
    return text;
  } catch {
    reader.cancel().catch(() => {}); // it broke off already
    return undefined;
  }
}
