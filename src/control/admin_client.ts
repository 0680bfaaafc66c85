/** Asks the porthole that runs with a state folder: the command line's side of `admin.ts`. */
import { type IncomingMessage, request } from "node:http";
import { adminSocketPath } from "./admin_socket.ts";

export interface AdminCommand {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object;
  /** How long it may take, in ms; COMMAND_LIMIT_MS unless told. */
  readonly limitMs?: number;
}

/** A whole command; pairing makes keys, which takes a small board a moment. */
const COMMAND_LIMIT_MS = 5_000;
/** Characters of an answer: a JPEG of a camera in base64. */
const MAX_ANSWER_LENGTH = 12 * 1024 * 1024;

/**
 * The answer, as parsed JSON. Throws an Error for people when nobody listens, when the folder is not ours, when no
 * answer comes in time, and with the agent's own words when it refuses.
 */
export async function adminRequest(
  state: string,
  command: AdminCommand,
): Promise<Record<string, unknown>> {
  const { status, text } = await exchange(state, command).catch((cause: unknown) => {
    throw cannotReach(state, cause, command.limitMs);
  });
  const answer = readAnswer(text);
  if (status === 200 && answer !== undefined) return answer;
  const words = typeof answer?.error === "string" ? answer.error : undefined;
  throw new Error(words ?? `Cannot understand porthole in '${state}': it answered ${status}`);
}

function exchange(state: string, command: AdminCommand): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      socketPath: adminSocketPath(state),
      method: command.method,
      path: command.path,
      agent: false,
      headers: { host: "localhost", "content-type": "application/json" },
      signal: AbortSignal.timeout(command.limitMs ?? COMMAND_LIMIT_MS),
    }, (incoming) => {
      readText(incoming).then(
        (text) => resolve({ status: incoming.statusCode ?? 0, text }),
        reject,
      );
    });
    outgoing.on("error", reject);
    outgoing.end(command.body === undefined ? undefined : JSON.stringify(command.body));
  });
}

async function readText(incoming: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of incoming.setEncoding("utf8")) {
    text += part;
    if (text.length > MAX_ANSWER_LENGTH) throw new Error("the answer is too long");
  }
  return text;
}

function readAnswer(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined; // the caller says what it got instead
  }
}

function cannotReach(state: string, cause: unknown, limitMs = COMMAND_LIMIT_MS): Error {
  const { code, name, message } = cause as NodeJS.ErrnoException;
  const why = reason(code, { name, limitMs }) ?? message;
  return new Error(`Cannot reach porthole in '${state}': ${why}`, { cause });
}

function reason(
  code: string | undefined,
  { name, limitMs }: { readonly name: string; readonly limitMs: number },
): string | undefined {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
    case "ECONNREFUSED":
      return "it is not running there. Start it with `porthole run`, or name its folder with --state";
    case "EACCES":
    case "EPERM":
      return "permission denied. Run this as the user that porthole runs as, or with sudo";
  }
  return name === "AbortError" || name === "TimeoutError"
    ? `no answer in ${limitMs / 1000} s. See its log, or restart it`
    : undefined;
}

/** Whether `adminRequest` failed because nobody listens there. */
export function isNotRunning(error: unknown): boolean {
  const code = error instanceof Error ? (error.cause as NodeJS.ErrnoException)?.code : undefined;
  return code === "ENOENT" || code === "ECONNREFUSED";
}
