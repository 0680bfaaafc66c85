/** One line that says what the connection is doing. Read aloud when it changes; numbers that tick are not. */
import { useState } from "hono/jsx/dom";
import type { JSX } from "hono/jsx/dom/jsx-runtime";
import type { Device } from "../devices.ts";
import type { Leg } from "../diagnosis.ts";
import type { Observed } from "../observable.ts";
import type { SessionState } from "../session.ts";
import { explainFor, pathWords, stateSentence } from "../words.ts";
import { Diagnosis } from "./diagnosis.tsx";
import { Remedy } from "./notice.tsx";
import { useClock, useLasting, useObserved } from "./hooks.ts";

// A connection that is up within this time needs no running commentary.
const QUIET_MS = 250;

/** What a view needs of a session's state. */
export interface StateSource {
  readonly state: Observed<SessionState>;
  retryNow(): void;
  /** Looks at each leg of the connection. */
  diagnose?(): Promise<readonly Leg[]>;
}

/** `brief` leaves out what to do while the session still tries by itself. */
export function StateLine(
  { session, device, brief }: {
    session: StateSource;
    device: Pick<Device, "name" | "role">;
    brief?: boolean;
  },
): JSX.Element {
  const state = useObserved(session.state);
  const explained = explainFor(device.role);
  const failed = state.phase === "lost" || state.phase === "closed";
  return (
    <div class={`state state-${tone(state)}`} data-phase={state.phase}>
      <span class="dot" aria-hidden="true"></span>
      <div class="state-now">
        <span role="status" aria-live="polite" data-testid="state">
          {stateSentence(state, device.name, explained)}
        </span>
        {state.phase === "live" && state.path !== undefined && !state.interrupted
          ? (
            <span
              class="figure"
              data-testid="path"
              data-path={state.path.kind}
              title={pathWords(state.path).hint}
            >
              {pathWords(state.path).short}
            </span>
          )
          : null}
        {state.phase === "live" && state.roundTrip !== undefined && !state.interrupted
          ? (
            <span class="figure" title="Round trip to the device">
              {Math.round(state.roundTrip)} ms
            </span>
          )
          : null}
        {state.phase === "lost" ? <Retry session={session} retryAt={state.retryAt} /> : null}
      </div>
      {failed && (!brief || state.phase === "closed")
        ? (
          <>
            <Remedy text={explained(state.code).remedy} />
            <Diagnosis session={session} />
          </>
        )
        : null}
    </div>
  );
}

function Retry(
  { session, retryAt }: { session: StateSource; retryAt: number | undefined },
): JSX.Element {
  const now = useClock(500);
  const seconds = retryAt === undefined ? 0 : Math.ceil((retryAt - now) / 1000);
  return (
    <>
      {seconds > 1 ? <span class="figure" aria-hidden="true">in {seconds} s</span> : null}
      <button type="button" class="quiet" onClick={() => session.retryNow()}>Try now</button>
    </>
  );
}

function tone(state: SessionState): "good" | "busy" | "bad" {
  if (state.phase === "live") return state.interrupted ? "busy" : "good";
  return state.phase === "lost" || state.phase === "closed" ? "bad" : "busy";
}

/** False for the first moments: what is over by then is not worth drawing. */
export function usePatience(): boolean {
  const [patient, set] = useState(false);
  useLasting(() => {
    const timer = setTimeout(() => set(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, []);
  return patient;
}
