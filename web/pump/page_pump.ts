/** The pump in the page itself: for browsers that cannot transfer a data channel (Chrome < 130, Firefox < 144). */
import type { PumpPort, PumpToShell } from "./messages.ts";
import { PumpSession } from "./pump_session.ts";

/** A pump with the face of a Worker. `listener` hears it after the call that it answers, as it would hear a worker. */
export function createPagePump(listener: (message: PumpToShell) => void): PumpPort {
  const session = new PumpSession((message) => queueMicrotask(() => listener(message)));
  return { postMessage: (message) => session.receive(message) };
}
