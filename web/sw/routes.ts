/** Who answers what, in order: the first handler that takes a request has it. */
import { RESERVED_PREFIX } from "./port_messages.ts";

/** `network`: the browser's own way. `undefined`: not mine. */
export type Handler = (
  request: Request,
  asked: { url: URL; page: string },
) => Promise<Response> | "network" | undefined;

/** The routes of a content origin. */
export function routes(
  parts: {
    origin: string;
    /** What is asked of another origin. */
    abroad: (request: Request, asked: { page: string }) => Promise<Response> | undefined;
    own: (
      request: Request,
      asked: { url: URL; page: string },
    ) => Promise<Response> | undefined;
    /** The page in place of a visit that neither the shell nor a page of this origin asked for. */
    foreign: (request: Request) => Promise<Response> | undefined;
    /** `page` is the id of the client that asked; empty for a navigation. */
    device: (request: Request, page: string) => Promise<Response>;
  },
): readonly Handler[] {
  return [
    // Another origin's servers are none of the device's business, unless they are its own under another name.
    (request, { url, page }) =>
      url.origin === parts.origin ? undefined : parts.abroad(request, { page }) ?? "network",
    // Nobody else's forms, for our own paths neither; our files are for all.
    (request, { url }) =>
      request.method === "GET" && url.pathname.startsWith(RESERVED_PREFIX)
        ? undefined
        : parts.foreign(request),
    // Our own files: bridge, worker, injected script. Never tunnelled.
    (request, asked) =>
      asked.url.pathname.startsWith(RESERVED_PREFIX)
        ? parts.own(request, asked) ?? "network"
        : undefined,
    (request, { page }) => parts.device(request, page),
  ];
}

/** Asks the handlers in their order. */
export function route(
  handlers: readonly Handler[],
  request: Request,
  page: string,
): Promise<Response> | "network" {
  const asked = { url: new URL(request.url), page };
  for (const handler of handlers) {
    const answer = handler(request, asked);
    if (answer !== undefined) return answer;
  }
  return "network";
}
