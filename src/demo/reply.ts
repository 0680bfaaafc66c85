/** The two shapes of a short answer. */
import type { ServerResponse } from "node:http";

/** Answers with a text. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": new TextEncoder().encode(text).length,
  }).end(text);
}

/** Answers 200 with a value that must not be cached. */
export function sendJson(response: ServerResponse, value: unknown): void {
  const text = JSON.stringify(value);
  response.writeHead(200, {
    "Content-Type": "application/json",
    "Content-Length": new TextEncoder().encode(text).length,
    "Cache-Control": "no-store",
  }).end(text);
}
