/** The pump's end of a stream's port, as plain messages. */
import type { FromPump, ToPump } from "../sw/port_messages.ts";

export class PumpSide {
  readonly #port: MessagePort;
  readonly #messages: ToPump[] = [];
  #wake: () => void = () => {};

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }) => {
      this.#messages.push(data);
      this.#wake();
    };
  }

  /** The next message of one of these types; others before it are dropped. */
  async next<T extends ToPump["type"]>(...types: T[]): Promise<ToPump & { type: T }> {
    for (;;) {
      const message = this.#messages.shift();
      if (message === undefined) await new Promise<void>((resolve) => this.#wake = resolve);
      else if ((types as string[]).includes(message.type)) return message as ToPump & { type: T };
    }
  }

  send(message: FromPump): void {
    this.#port.postMessage(message);
  }

  close(): void {
    this.#port.close();
  }
}
