import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { FilePart } from "./file_part.ts";
import { sendJson, sendText } from "./reply.ts";

/** The longest boundary of a form (RFC 2046 5.1.1). */
const BOUNDARY = /^multipart\/form-data;.*\bboundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i;

/**
 * Takes a file as a form or as a plain body, of any size, and answers {name, size, sha256}. Nothing is kept: bytes are
 * digested as they come. The name of a plain body is in the query: `/upload?name=x`.
 */
export async function receiveUpload(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const type = request.headers["content-type"] ?? "";
  const [, quoted, plain] = BOUNDARY.exec(type) ?? [];
  const boundary = quoted ?? plain;
  const hash = createHash("sha256");
  let size = 0;
  const take = (bytes: Uint8Array) => {
    hash.update(bytes);
    size += bytes.length;
  };
  const part = boundary === undefined ? undefined : new FilePart(boundary, take);
  for await (const chunk of request) {
    if (part) part.push(chunk);
    else take(chunk);
  }
  if (part && part.state !== "complete") return sendText(response, 400, "No file in the form\n");
  const name = part?.name ?? new URL(request.url ?? "/", "http://device").searchParams.get("name");
  sendJson(response, { name: name ?? "", size, sha256: hash.digest("hex") });
}
