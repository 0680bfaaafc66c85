/** Waits that end with an AbortSignal. */

/** Waits for `wanted`, or rejects with the signal's reason as soon as it is aborted. Leaves no listener behind. */
export async function orAborted<T>(wanted: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const aborted = () => reject(signal.reason);
  if (signal.aborted) aborted();
  else signal.addEventListener("abort", aborted, { once: true });
  try {
    return await Promise.race([promise, wanted]);
  } finally {
    signal.removeEventListener("abort", aborted);
  }
}
