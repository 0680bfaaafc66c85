/** What a guest may do and for how long: said where the device is, and counting down. */
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import { mayDo, momentText, spanText } from "../people_words.ts";
import type { SessionState } from "../session.ts";
import { useClock } from "./hooks.ts";

const CLOCK_MS = 1000; // the last minute is counted in seconds

/** Nothing for owners, and before the device has said. */
export function LoanLine({ state }: { state: SessionState }): JSX.Element | null {
  if (state.phase !== "live" || state.access.role === "owner") return null;
  return (
    <p class="loan" data-testid="loan">
      {mayDo(state.access.operations)}.
      {state.endsAt === undefined ? null : <Remaining endsAt={state.endsAt} />}
    </p>
  );
}

function Remaining({ endsAt }: { endsAt: number }): JSX.Element {
  const now = useClock(CLOCK_MS);
  return (
    <span class="figure">
      {endsAt > now ? `Ends in ${spanText(endsAt - now)}, ${momentText(endsAt, now)}` : "Ends now"}
    </span>
  );
}
