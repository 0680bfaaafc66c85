/** Whether anybody looks at the page, and whether the network came back. */
export interface PageLife {
  readonly hidden: boolean;
  /** Calls once, when the page is next shown; never after `signal` is aborted. */
  whenShown(listener: () => void, signal: AbortSignal): void;
  /** Calls once, when the network is next back; never after `signal` is aborted. */
  whenOnline(listener: () => void, signal: AbortSignal): void;
}

/** The browser's own. */
export const pageLife: PageLife = {
  get hidden() {
    return document.visibilityState === "hidden";
  },
  whenShown(listener, signal) {
    const look = () => {
      if (document.visibilityState === "visible") listener();
    };
    document.addEventListener("visibilitychange", look, { signal });
  },
  whenOnline(listener, signal) {
    addEventListener("online", listener, { signal, once: true });
  },
};
