/** What the service worker asks the agent itself: to take what scripts wrote to cookies, and a person's password; where the service is. */
import { type Bytes, utf8 } from "../lib/bytes.ts";
import { toByteString } from "../lib/http_auth.ts";
import { encodeCookieState } from "../protocol/cookie_state.ts";
import { MAX_WRITES_BYTES, parseCookieWrites } from "../protocol/cookie_writes.ts";
import { COOKIES_PATH, LOGIN_PATH, TARGET_PATH } from "../protocol/http.ts";
import {
  type LoginAnswer,
  MAX_LOGIN_BYTES,
  MAX_PASSWORD_BYTES,
  MAX_REALM_BYTES,
  MAX_USER_BYTES,
  parseLoginAnswer,
} from "../protocol/login.ts";
import type { Account } from "./account.ts";
import { bufferedBody } from "./body.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";

// deno-lint-ignore no-control-regex -- the point is to refuse control characters
const CONTROLS = /[\x00-\x1f\x7f]/;

/** Answers a request below the reserved prefix; none of them ever reaches a service. */
export async function answerOwn(
  { head, body }: HttpRequest,
  account: Account,
): Promise<HttpResponse> {
  const isPost = head.method === "POST";
  if (isPost && head.path === COOKIES_PATH) return await takeWrites(body, account);
  if (isPost && head.path === LOGIN_PATH) return await takeLogin(body, account);
  await body?.cancel();
  const isGet = head.method === "GET";
  return isGet && head.path === TARGET_PATH ? answer(200, account.origin) : answer(404);
}

/** The state is the body: it may be longer than a head. */
async function takeWrites(
  body: ReadableStream<Bytes> | null,
  account: Account,
): Promise<HttpResponse> {
  const writes = parseCookieWrites(await text(body, MAX_WRITES_BYTES));
  if (writes === undefined) return answer(400);
  account.write(writes);
  return answer(200, encodeCookieState(account.state));
}

async function takeLogin(
  body: ReadableStream<Bytes> | null,
  account: Account,
): Promise<HttpResponse> {
  const login = parseLoginAnswer(await text(body, MAX_LOGIN_BYTES));
  if (login === undefined || !isUsable(login)) return answer(400);
  account.logins.keep(login);
  return answer(204);
}

/** A control character would end up in a header. */
function isUsable({ realm, user, password }: LoginAnswer): boolean {
  return toByteString(realm).length <= MAX_REALM_BYTES &&
    toByteString(user).length <= MAX_USER_BYTES && !CONTROLS.test(user) &&
    toByteString(password).length <= MAX_PASSWORD_BYTES && !CONTROLS.test(password);
}

/** A body above the limit is as good as none. */
async function text(body: ReadableStream<Bytes> | null, limit: number): Promise<string> {
  const bytes = body && await bufferedBody(body, limit);
  return bytes ? new TextDecoder().decode(bytes) : "";
}

function answer(status: number, text = ""): HttpResponse {
  const bytes = utf8(text);
  const body = new ReadableStream<Bytes>({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
  return { head: { status, headers: [["Cache-Control", "no-store"]] }, body };
}
