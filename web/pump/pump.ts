/**
 * The pump: a dedicated worker of the shell's origin in which the mux runs, so that neither a busy shell nor a device's
 * page stalls the tunnel. Entry file: listeners only. A worker hears its own page and nobody else.
 */
import type { ShellToPump } from "./messages.ts";
import { PumpSession } from "./pump_session.ts";

const worker = self as unknown as DedicatedWorkerGlobalScope;
const session = new PumpSession((message) => worker.postMessage(message));

worker.addEventListener("message", (event: MessageEvent<ShellToPump>) => {
  session.receive(event.data);
});
