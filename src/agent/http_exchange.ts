/** An HTTP exchange: one request to a service, both bodies streamed, neither ever held whole. */
import type { Bytes } from "../lib/bytes.ts";
import { orAborted } from "./aborted.ts";
import type { Carried, Work } from "./exchange.ts";
import type { Inflow } from "./inflow.ts";
import type { UpstreamResponse } from "./seams.ts";

/** Sends the request on and its answer back. */
export async function carryHttp(work: Work): Promise<Carried> {
  const { head, inflow, services, signal } = work;
  // Whether there is a body at all is known with the first part or the end, which leave the browser together with OPEN.
  const hasBody = await inflow.some(signal);
  signal.throwIfAborted(); // opened and given up in one message: the service need not hear of it
  const body = hasBody ? bodyOf(inflow, signal) : null;
  const response = await services.request({ head, body }, signal);
  await relay(response, work);
  return {};
}

function bodyOf(inflow: Inflow, signal: AbortSignal): ReadableStream<Bytes> {
  return new ReadableStream<Bytes>({
    async pull(controller) {
      const part = await inflow.next(signal);
      if (part === undefined) controller.close();
      else controller.enqueue(part.bytes);
    },
    cancel: () => inflow.discard(), // the service answered without reading on
  }, { highWaterMark: 0 });
}

async function relay({ head, body }: UpstreamResponse, work: Work): Promise<void> {
  const reader = body.getReader();
  try {
    work.respond(head); // throws for a head that is too long to travel: the body must be let go then
    const next = () => orAborted(reader.read(), work.signal);
    for (let part = await next(); !part.done; part = await next()) {
      await work.outflow.write(part.value, { signal: work.signal });
    }
  } catch (error) {
    reader.cancel(error).catch(() => {}); // it failed already: the first error is the one that counts
    throw error;
  }
}
