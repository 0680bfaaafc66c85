/** A WebSocket: messages both ways at the reader's pace, and the close of either side told to the other. */
import { type Bytes, concat } from "../lib/bytes.ts";
import { StreamError } from "../protocol/errors.ts";
import type { Carried, Work } from "./exchange.ts";
import { MAX_SOCKET_MESSAGE_BYTES } from "./limits.ts";
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
    return { close: await socket.closed };
  } finally {
    work.inflow.discard();
    await sending;
  }
}

/** Browser to service. A failure closes the socket, which ends the other direction as well. */
async function sendAll(work: Work, socket: UpstreamSocket): Promise<void> {
  try {
    for (
      let message = await nextMessage(work);
      message !== undefined;
      message = await nextMessage(work)
    ) {
      await socket.send(message);
    }
    socket.close(work.inflow.close ?? NO_STATUS);
  } catch (error) {
    const tooBig = error instanceof StreamError && error.code === "limit";
    socket.close(tooBig ? { code: 1009, reason: "message too big" } : NO_STATUS);
  }
}

/** Joins the parts of one message. Throws a StreamError with code `limit` above the largest message. */
async function nextMessage(work: Work): Promise<SocketMessage | undefined> {
  const parts: Bytes[] = [];
  let length = 0;
  for (;;) {
    const part = await work.inflow.next(work.signal);
    if (part === undefined) return undefined;
    length += part.bytes.length;
    if (length > MAX_SOCKET_MESSAGE_BYTES) {
      throw new StreamError(
        "limit",
        `Cannot pass on a message: above ${MAX_SOCKET_MESSAGE_BYTES} bytes`,
      );
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
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const { text, bytes } = next.value;
      await work.outflow.write(bytes, { signal: work.signal, message: { text, last: true } });
    }
  } catch (error) {
    await reader.cancel(error).catch(() => {}); // it failed already: the first error is the one that counts
    throw error;
  }
}
