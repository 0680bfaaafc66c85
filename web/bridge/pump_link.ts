/**
 * The way between a content origin's service worker and the pump, as a document of that origin holds it: the bridge in the
 * shell, or a device's page in a tab of its own. It passes ports, never bytes, and looks at nothing that it passes.
 */
import {
  boundedText,
  type BridgeToPump,
  type FromPump,
  isRecord,
  MAX_ADDRESS_LENGTH,
  MAX_TITLE_LENGTH,
  type Pong,
  type StreamHead,
  type ToWorker,
} from "../sw/port_messages.ts";

export class PumpLink {
  readonly #announce: () => void;
  #pump:
    | { readonly port: MessagePort; readonly title: string; readonly address: string }
    | undefined;

  /** `announce` tells the service worker that requests may look again. */
  constructor(announce: () => void) {
    this.#announce = announce;
  }

  /** Takes the pump's port from the shell, in the place of an earlier one, with what the shell says of it. */
  take(port: MessagePort, { title, address }: Readonly<Record<string, unknown>>): void {
    this.#pump?.port.close();
    this.#pump = {
      port,
      title: boundedText(title, MAX_TITLE_LENGTH) ?? "",
      address: boundedText(address, MAX_ADDRESS_LENGTH) ?? "",
    };
    port.onmessage = this.#announce; // the pump says only one thing: its session is up
    this.#announce();
  }

  /** Takes a message of the service worker; false for one that is not for a bridge. */
  takeFromWorker({ data, ports: [port], source }: MessageEvent): boolean {
    if (!isRecord(data)) return false;
    if (data.porthole === "beat") return answerBeat(source);
    if (port === undefined) return false;
    if (data.porthole === "ping") this.#passPing(port);
    else if (data.porthole === "where") port.postMessage(this.#pump?.address ?? "");
    else if (data.porthole === "stream") this.#passStream(data, port);
    else return false;
    return true;
  }

  #passStream(message: Record<string, unknown>, port: MessagePort): void {
    if (this.#pump === undefined) {
      return port.postMessage({ type: "error", code: "session_closed" } satisfies FromPump);
    }
    const head = message.head as StreamHead; // not looked at here: the pump checks it, and answers on the port
    this.#pump.port.postMessage({ type: "open", head } satisfies BridgeToPump, [port]);
  }

  #passPing(port: MessagePort): void {
    if (this.#pump === undefined) {
      return port.postMessage({ porthole: "no-session" } satisfies Pong);
    }
    const ping: BridgeToPump = { type: "ping", title: this.#pump.title };
    this.#pump.port.postMessage(ping, [port]);
  }
}

function answerBeat(worker: MessageEventSource | null): true {
  worker?.postMessage({ porthole: "keepalive" } satisfies ToWorker);
  return true;
}
