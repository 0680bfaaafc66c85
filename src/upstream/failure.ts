/** From what went wrong below to the code that the browser may see. Pure. */
import { StreamError } from "../protocol/errors.ts";
import type { StreamCode } from "../protocol/errors.ts";

const UNREACHABLE: ReadonlySet<string> = new Set([
  "EACCES",
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "ENOTSOCK",
  "EPERM",
]);

/** The `code` that Node's errors carry. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

/** A StreamError for anything that a socket or a parser threw; those that are StreamErrors already pass. */
export function failureOf(error: unknown, doing: string): StreamError {
  if (error instanceof StreamError) return error;
  const code = systemCode(error);
  const reason = code || (error instanceof Error ? error.message : "unknown error");
  return new StreamError(streamCode(code), `Cannot ${doing}: ${reason}`, { cause: error });
}

function streamCode(code: string): StreamCode {
  if (UNREACHABLE.has(code)) return "upstream_unreachable";
  if (code === "ETIMEDOUT") return "upstream_timeout";
  if (code === "HPE_HEADER_OVERFLOW") return "answer_too_large";
  return "upstream_broken";
}

/** Like `failureOf` for a TLS handshake: a certificate that is not the right one has a code of its own. */
export function handshakeFailureOf(error: unknown, doing: string): StreamError {
  const failure = failureOf(error, doing);
  const code = systemCode(error);
  const isCertificate = /CERT|ERR_TLS|^UNABLE_TO|SIGNATURE|ISSUER|CRL|INVALID_CA|INVALID_PURPOSE/;
  if (failure.code !== "upstream_broken" || !isCertificate.test(code)) return failure;
  return new StreamError("upstream_tls", failure.message, { cause: error });
}

/** Why a caller's signal was aborted: its own StreamError if it gave one. */
export function abortFailure(signal: AbortSignal): StreamError {
  if (signal.reason instanceof StreamError) return signal.reason;
  return new StreamError("cancelled", "Cannot go on: cancelled", { cause: signal.reason });
}
