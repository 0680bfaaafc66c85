/** Sends a page's synchronous requests from a worker of ours, whose requests the service worker is shown. */
import {
  hand,
  handFailure,
  type SyncBody,
  type SyncHead,
  type SyncRequest,
} from "./sync_channel.ts";

/** Call once, in the worker that `sync_requests.ts` starts. */
export function serveSyncRequests(): void {
  addEventListener("message", (event: MessageEvent<SyncRequest>) => {
    const request = event.data;
    send(request).catch(() => handFailure(request.memory));
  });
  postMessage("ready");
}

async function send({ method, url, referrer, headers, body, memory }: SyncRequest): Promise<void> {
  const list = headers.map(([name, value]): [string, string] => [name, value]);
  const answer = await fetch(url, { method, referrer, headers: list, body: whole(body) });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const head: SyncHead = {
    status: answer.status,
    statusText: answer.statusText,
    url: answer.url,
    headers: [...answer.headers],
  };
  hand(memory, new TextEncoder().encode(JSON.stringify(head)));
  hand(memory, bytes);
}

function whole(body: SyncBody): BodyInit | null {
  if (body === null || typeof body !== "object" || !("form" in body)) {
    return body as BodyInit | null;
  }
  const form = new FormData();
  for (const [name, value] of body.form) {
    if (typeof value === "string") form.append(name, value);
    else form.append(name, value, value.name);
  }
  return form;
}
