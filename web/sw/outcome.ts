/** What became of a page's request, before it is made a Response. */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { ResponseHead } from "../../src/protocol/http.ts";
import type { LoginQuestion } from "../../src/protocol/login.ts";
import type { Failure } from "./error_page.ts";
import type { Elsewhere } from "./own_headers.ts";

/** An answer of the service, from itself or from the cache. */
export interface Answered {
  readonly type: "answered";
  readonly head: ResponseHead;
  readonly body: ReadableStream<Bytes>;
  /** The service wants a password. */
  readonly question: LoginQuestion | undefined;
  /** Whose answer it is, as the agent says; undefined for an agent that does not, whose answers are not stored. */
  readonly holder?: string | undefined;
  /** Where a redirect leads that leaves this service for another one of the device; never stored. */
  readonly elsewhere?: Elsewhere | undefined;
}

export type Outcome =
  | Answered
  | { readonly type: "failed"; readonly failure: Failure }
  /** Only a stored answer was wanted, and there is none. */
  | { readonly type: "uncached" };
