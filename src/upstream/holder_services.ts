/**
 * The services of this device as one person uses them: each request bears that person's cookies and logins, and no answer
 * shows a Set-Cookie. What the service worker asks the agent itself is answered here too (`RESERVED_PREFIX`).
 */
import type { Bytes } from "../lib/bytes.ts";
import { StreamError } from "../protocol/errors.ts";
import { COOKIES_HEADER, encodeCookieState, isTag } from "../protocol/cookie_state.ts";
import {
  CREDENTIALS_HEADER,
  type Header,
  HOLDER_HEADER,
  type RequestHead,
  RESERVED_PREFIX,
  type ResponseHead,
} from "../protocol/http.ts";
import { encodeLoginQuestion, LOGIN_HEADER } from "../protocol/login.ts";
import { Account } from "./account.ts";
import { type Attempt, authenticate, type Settled } from "./authenticate.ts";
import { bufferedBody, drain } from "./body.ts";
import { claimedLength, valueOf } from "./headers.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { REPLAY_LIMIT_BYTES, STATE_ROOM_BYTES } from "./limits.ts";
import { answerOwn } from "./own_requests.ts";
import { RefusedSocket, type ServiceSocket } from "./websocket.ts";

/** The services without anybody's account. */
export interface BareServices {
  list(): readonly { readonly id: string; readonly title: string }[];
  request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
  socket(head: RequestHead, signal: AbortSignal): Promise<ServiceSocket>;
}

/** See the head of this file. All methods throw StreamErrors, whose codes may go to the browser. */
export class HolderServices implements BareServices {
  readonly #services: BareServices;
  readonly #account: (service: string) => Account;
  readonly #holder: string;

  /** `account` throws a StreamError for a service that does not exist; `holder` names the person to this person's browser. */
  constructor(
    services: BareServices,
    { account, holder }: { account: (service: string) => Account; holder: string },
  ) {
    this.#services = services;
    this.#account = account;
    this.#holder = holder;
  }

  list(): readonly { readonly id: string; readonly title: string }[] {
    return this.#services.list();
  }

  /** Sends a request and resolves with the head of its answer. The caller reads the body to its end, cancels or aborts. */
  async request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const { head } = request;
    const account = this.#account(head.service);
    if (head.path.startsWith(RESERVED_PREFIX)) return await answerOwn(request, account);
    const isAnonymous = valueOf(head.headers, CREDENTIALS_HEADER) === "omit";
    const acting = isAnonymous ? new Account({ host: "", origin: "" }) : account;
    const body = await replayable(request, acting);
    const settled = await authenticate(head, {
      account: acting,
      mayRepeat: body.mayRepeat,
      send: async (head) => {
        return httpAttempt(await this.#services.request({ head, body: body.open() }, signal));
      },
    });
    const { head: { status }, body: answer } = settled.result;
    const asked = { account, asked: head, holder: this.#holder };
    return { head: withOwnHeaders(status, settled, asked), body: answer };
  }

  /** Opens a WebSocket. `signal` ends it at any time. */
  async socket(head: RequestHead, signal: AbortSignal): Promise<ServiceSocket> {
    const account = this.#account(head.service);
    if (head.path.startsWith(RESERVED_PREFIX)) {
      throw new RefusedSocket({ status: 404, headers: [] });
    }
    const { result } = await authenticate<ServiceSocket | RefusedSocket>(head, {
      account,
      mayRepeat: true,
      send: async (head) => socketAttempt(await this.#open(head, signal)),
    });
    if (result instanceof RefusedSocket) throw result;
    return result;
  }

  async #open(head: RequestHead, signal: AbortSignal): Promise<ServiceSocket | RefusedSocket> {
    try {
      return await this.#services.socket(head, signal);
    } catch (error) {
      if (error instanceof RefusedSocket) return error;
      throw error;
    }
  }
}

function httpAttempt(result: HttpResponse): Attempt<HttpResponse> {
  return { head: result.head, result, discard: () => drain(result.body) };
}

function socketAttempt(
  result: ServiceSocket | RefusedSocket,
): Attempt<ServiceSocket | RefusedSocket> {
  return { head: result.head, result, discard: () => {} };
}

/** A body that can be sent again, if it is short and might have to be. */
async function replayable(
  { head, body }: HttpRequest,
  account: Account,
): Promise<{ mayRepeat: boolean; open(): ReadableStream<Bytes> | null }> {
  if (body === null) return { mayRepeat: true, open: () => null };
  const length = claimedLength(head.headers);
  const isHeld = length !== undefined && length <= REPLAY_LIMIT_BYTES && account.logins.size > 0;
  if (!isHeld) return { mayRepeat: false, open: () => body };
  const parts = await bufferedBody(body, REPLAY_LIMIT_BYTES);
  if (parts === undefined) {
    throw new StreamError("protocol", "Cannot send a request's body: longer than promised");
  }
  return { mayRepeat: true, open: () => streamOf(parts) };
}

function streamOf(parts: Bytes): ReadableStream<Bytes> {
  return new ReadableStream({
    start(controller) {
      if (parts.length > 0) controller.enqueue(parts);
      controller.close();
    },
  });
}

/** Tells the service worker whose answer it is, and what it does not know yet: cookies of scripts, a question for a password. */
function withOwnHeaders(
  status: number,
  { headers, question }: Pick<Settled<unknown>, "headers" | "question">,
  { account, asked, holder }: { account: Account; asked: RequestHead; holder: string },
): ResponseHead {
  const own: Header[] = [[HOLDER_HEADER, holder]];
  if (question !== undefined) own.push([LOGIN_HEADER, encodeLoginQuestion(question)]);
  const known = valueOf(asked.headers, COOKIES_HEADER);
  if (isTag(known) && known !== account.tag) {
    const state = encodeCookieState(account.state);
    if (sizeOf(headers) + 2 * state.length < STATE_ROOM_BYTES) own.push([COOKIES_HEADER, state]);
  }
  return { status, headers: [...headers, ...own] };
}

function sizeOf(headers: readonly Header[]): number {
  return headers.reduce((size, [name, value]) => size + name.length + 2 * value.length, 0);
}
