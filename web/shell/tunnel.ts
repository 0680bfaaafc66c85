/**
 * The pump as a session holds it: one for all connections to a device, so that open pages outlive a reconnect. It is a
 * worker, unless this browser cannot transfer a data channel: then the same code runs in the page.
 */
import type { PumpPort, PumpToShell, ShellToPump } from "../pump/messages.ts";
import { createPagePump } from "../pump/page_pump.ts";

const PUMP_URL = "/pump.js";

export class Tunnel implements PumpPort {
  readonly #ended: (protocol: boolean) => void;
  #worker: Worker | undefined;
  #pump: PumpPort;

  /** Loads the worker. `ended` is told when a channel ends by itself; `protocol` if the device broke the protocol. */
  constructor(ended: (protocol: boolean) => void) {
    this.#ended = ended;
    this.#worker = new Worker(PUMP_URL, { type: "module", name: "porthole pump" });
    this.#worker.onmessage = ({ data }: MessageEvent<PumpToShell>) => this.#hear(data);
    this.#pump = this.#worker;
  }

  /** Runs the mux on this channel from now on. To be called in the task that created the channel. */
  attach(channel: RTCDataChannel): void {
    try {
      this.#pump.postMessage({ type: "channel", channel }, [channel]);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "DataCloneError") throw error;
      // No content is open yet: the first connection decides, and every later one goes the same way.
      this.#worker?.terminate();
      this.#worker = undefined;
      this.#pump = createPagePump((message) => this.#hear(message));
      this.#pump.postMessage({ type: "channel", channel }, []);
    }
  }

  postMessage(message: ShellToPump, transfer: Transferable[]): void {
    this.#pump.postMessage(message, transfer);
  }

  close(): void {
    this.#pump.postMessage({ type: "close" }, []);
    this.#worker?.terminate();
  }

  #hear(message: PumpToShell): void {
    if (message.type === "closed" && message.reason !== "asked") {
      this.#ended(message.reason === "protocol");
    }
  }
}
