/** Starting something of many parts: each start pushes its stop, and the stops run backwards. */

/** What undoes the starts so far. */
export type Stops = (() => unknown)[];

/** Starts, and gives what was started with its `close`. A start that fails leaves nothing running. */
export async function withStops<Started extends object>(
  start: (stops: Stops) => Promise<Started>,
): Promise<Started & { close(): Promise<void> }> {
  const stops: Stops = [];
  const close = async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  try {
    return { ...await start(stops), close };
  } catch (error) {
    await close();
    throw error;
  }
}
