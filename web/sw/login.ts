/**
 * A person's answer to the login page: from the form to the agent, then back to the page that asked. Passwords are only
 * passed on. Whether one is right shows when the page is asked for again.
 */
import { LOGIN_PATH } from "../../src/protocol/http.ts";
import { encodeLoginAnswer, MAX_LOGIN_BYTES } from "../../src/protocol/login.ts";
import { type AgentContext, askAgent } from "./agent_request.ts";
import { errorResponse, type Failure } from "./error_page.ts";

/** What it needs of the worker. */
export interface LoginContext extends AgentContext {
  readonly shellOrigin: string;
}

/** Answers a request for the login's own path; undefined for any other. */
export function answerLogin(
  request: Request,
  context: LoginContext,
): Promise<Response> | undefined {
  const { pathname } = new URL(request.url);
  if (pathname !== LOGIN_PATH || request.method !== "POST") return undefined;
  return takeLogin(request, context);
}

/** Only our own page may post here: another site's could log a person in as somebody else. */
async function takeLogin(request: Request, context: LoginContext): Promise<Response> {
  const form = await readForm(request); // before any other await: see request_body.ts
  const back = URL.parse(request.referrer);
  const isOurs = back !== null && back.origin === new URL(request.url).origin;
  if (!isOurs || form === undefined) return fail("protocol", context);
  const body = encodeLoginAnswer(form);
  const answer = await askAgent(context, { path: LOGIN_PATH, body });
  if (answer === undefined) return fail("no_bridge", context);
  if (answer.status !== 204) return fail("protocol", context);
  return Response.redirect(back, 303);
}

async function readForm(request: Request) {
  const text = (await request.text()).slice(0, MAX_LOGIN_BYTES);
  const form = new URLSearchParams(text);
  const [realm, user, password] = [form.get("realm"), form.get("user"), form.get("password")];
  return realm === null || user === null || password === null
    ? undefined
    : { realm, user, password };
}

/** The retry of the error page would post again: it is said not to. */
function fail(failure: Failure, { shellOrigin }: LoginContext): Response {
  return errorResponse(failure, { title: "", navigation: true, method: "POST", shellOrigin });
}
