/** Something that a button starts at the device: whether it runs, and why it failed. */
import { useState } from "hono/jsx/dom";
import { RequestError } from "../owner_requests.ts";
import { requestSentence } from "../people_words.ts";

export interface Task {
  readonly busy: boolean;
  /** In words; empty while nothing failed. */
  readonly failure: string;
  /** Starts it, unless it runs. */
  run(work: () => Promise<void>): void;
}

export function useTask(): Task {
  const [state, set] = useState({ busy: false, failure: "" });
  return {
    ...state,
    run(work) {
      if (state.busy) return;
      set({ busy: true, failure: "" });
      work().then(
        () => set({ busy: false, failure: "" }),
        (error: unknown) => set({ busy: false, failure: failureSentence(error) }),
      );
    },
  };
}

function failureSentence(error: unknown): string {
  if (error instanceof RequestError) return requestSentence(error.code);
  if (error instanceof RangeError) return requestSentence("unfit");
  reportError(error);
  return requestSentence("internal");
}
