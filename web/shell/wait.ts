/** Waits with a limit and a signal: no wait in the shell is without both. */

/** Resolves or rejects as `promise` does, but rejects with the signal's reason as soon as it is aborted. */
export function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) abort();
  });
}

/** As `until`, and rejects with `late()` when `limitMs` have passed. */
export function within<T>(
  promise: Promise<T>,
  options: { limitMs: number; late: () => Error; signal: AbortSignal },
): Promise<T> {
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(options.late()), options.limitMs);
  const raced = Promise.race([promise, limit.promise]);
  return until(raced, options.signal).finally(() => clearTimeout(timer));
}

/** Resolves after `delayMs`; rejects with the signal's reason when aborted. */
export function delay(delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, delayMs);
  return until(promise, signal).finally(() => clearTimeout(timer));
}
