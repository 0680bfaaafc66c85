/** What views share of state and effects. */
import { useLayoutEffect, useRef, useState } from "hono/jsx/dom";
import type { Observed } from "../observable.ts";
import type { SessionState } from "../session.ts";

/**
 * Runs `effect` when `deps` change, and its clean-up before the next run and at the end. The only effect hook that views
 * use: hono's `useEffect` waits for an animation frame, runs twice when the component is drawn again before that (the
 * first clean-up is lost), runs after an unmount, and does not run in hidden tabs. This one runs at once. The element
 * may not be in the document yet.
 */
export function useLasting(effect: () => void | (() => void), deps: readonly unknown[]): void {
  useLayoutEffect(effect, [...deps]);
}

/** The value now, and again after each change. */
export function useObserved<T>(observed: Observed<T>): T {
  const [, redraw] = useState({});
  const drawn = observed.value;
  useLasting(() => {
    if (observed.value !== drawn) redraw({}); // changed by an effect of the same drawing
    return observed.subscribe(() => redraw({}));
  }, [observed]);
  return drawn;
}

/** The time in milliseconds since 1970, drawn again every `everyMs`. */
export function useClock(everyMs: number): number {
  const [now, set] = useState(Date.now());
  useLasting(() => {
    const timer = setInterval(() => set(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** Takes the keyboard, and screen readers, to the heading: something else is on the page now. */
export function focusHeading(options?: FocusOptions): void {
  const heading = document.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus(options);
}

type Live = SessionState & { phase: "live" };

/** What the device greeted with last: it stays on the page while a connection is being restored. */
export function useLastLive(state: SessionState): Live | undefined {
  const last = useRef<Live | undefined>(undefined);
  if (state.phase === "live") last.current = state;
  return last.current ?? undefined;
}
