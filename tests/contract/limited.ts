/**
 * How long a test may wait for the other end, in ms. Far above what a loaded machine needs: it is
 * no verdict on speed.
 */
const LIMIT_MS = 60_000;

/** The outcome of `work`, or an Error when the other end stays silent. */
export async function limited<Result>(work: Promise<Result>, limitMs = LIMIT_MS): Promise<Result> {
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`Cannot finish test: nothing more in ${limitMs} ms`)),
    limitMs,
  );
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}
