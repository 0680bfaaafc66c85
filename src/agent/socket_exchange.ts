/** A WebSocket: messages both ways at the reader's pace, and the close of either side told to the other. */
import { type Bytes, concat } from "../lib/bytes.ts";
import { StreamError } from "../protocol/errors.ts";
import { orAborted } from "./aborted.ts";
import type { BudgetShare } from "./budget.ts";
import type { Carried, Work } from "./exchange.ts";
import { MAX_SOCKET_MESSAGE_BYTES, PART_COST_BYTES } from "./limits.ts";
import type { SocketMessage, UpstreamSocket } from "./seams.ts";

/** No close frame was seen (RFC 6455 7.1.5): what a browser that just went away stands for. */
const NO_STATUS = { code: 1005, reason: "" };

/** Opens the service's socket and relays until either side closes. */
export async function carrySocket(work: Work): Promise<Carried> {
  const socket = await work.services.socket(work.head, work.signal);
  work.respond(socket.head);
  const sending = sendAll(work, socket);
  try {
    await receiveAll(work, socket);
    return { close: await orAborted(socket.closed, work.signal) };
  } finally {
    work.inflow.discard();
    await sending;
  }
}

/** Browser to service. A failure closes the socket, which ends the other direction as well. */
async function sendAll(work: Work, socket: UpstreamSocket): Promise<void> {
  const budget = work.messages.share();
  try {
    for (
      let message = await nextMessage(work, budget);
      message !== undefined;
      message = await nextMessage(work, budget)
    ) {
      await orAborted(socket.send(message), work.signal);
      budget.clear();
    }
    socket.close(work.inflow.close ?? NO_STATUS);
  } catch (error) {
    const tooBig = error instanceof StreamError && error.code === "limit";
    socket.close(tooBig ? { code: 1009, reason: "message too big" } : NO_STATUS);
  } finally {
    budget.clear();
  }
}

/**
 * Joins the parts of one message; its bytes are taken from the budget. Throws a StreamError with code `limit` above the
 * largest message, and when the session holds too much already.
 */
async function nextMessage(work: Work, budget: BudgetShare): Promise<SocketMessage | undefined> {
  const parts: Bytes[] = [];
  let length = 0;
  for (;;) {
    const part = await work.inflow.next(work.signal);
    if (part === undefined) return undefined;
    length += part.bytes.length;
    if (length > MAX_SOCKET_MESSAGE_BYTES || !budget.take(part.bytes.length + PART_COST_BYTES)) {
      throw new StreamError("limit", `Cannot pass on a message: ${length} bytes of it came`);
    }
    parts.push(part.bytes);
    if (part.last) {
      return { text: part.text, bytes: parts.length === 1 ? parts[0]! : concat(...parts) };
    }
  }
}

/** Service to browser. */
async function receiveAll(work: Work, socket: UpstreamSocket): Promise<void> {
  const reader = socket.messages.getReader();
  try {
    const read = () => orAborted(reader.read(), work.signal);
    for (let next = await read(); !next.done; next = await read()) {
      const { text, bytes } = next.value;
      await work.outflow.write(bytes, { signal: work.signal, message: { text, last: true } });
    }
  } catch (error) {
    reader.cancel(error).catch(() => {}); // it failed already: the first error is the one that counts
    throw error;
  }
}
