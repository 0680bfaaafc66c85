/** An HTTP exchange: one request to a service, both bodies streamed, neither ever held whole. */
import type { Bytes } from "../lib/bytes.ts";
import type { Carried, Work } from "./exchange.ts";
import type { Inflow } from "./inflow.ts";

/** Sends the request on and its answer back. */
export async function carryHttp(work: Work): Promise<Carried> {
  const { head, inflow, services, signal } = work;
  // Whether there is a body at all is known with the first part or the end, which leave the browser together with OPEN.
  const hasBody = await inflow.some(signal);
  const body = hasBody ? bodyOf(inflow, signal) : null;
  const response = await services.request({ head, body }, signal);
  work.respond(response.head);
  await relay(response.body, work);
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

async function relay(body: ReadableStream<Bytes>, work: Work): Promise<void> {
  const reader = body.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      await work.outflow.write(part.value, { signal: work.signal });
    }
  } catch (error) {
    await reader.cancel(error).catch(() => {}); // it failed already: the first error is the one that counts
    throw error;
  }
}
