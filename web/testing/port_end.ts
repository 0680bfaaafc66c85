/** One end of a stream's port, as plain messages: the client's or the pump's, by what comes in and goes out. */
export class PortEnd<In extends { readonly type: string }, Out> {
  readonly #port: MessagePort;
  readonly #messages: In[] = [];
  #wake: () => void = () => {};

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }) => {
      this.#messages.push(data);
      this.#wake();
    };
  }

  /** The next message of one of these types; others before it are dropped. */
  async next<T extends In["type"]>(...types: T[]): Promise<In & { type: T }> {
    for (;;) {
      const message = this.#messages.shift();
      if (message === undefined) await new Promise<void>((resolve) => this.#wake = resolve);
      else if ((types as string[]).includes(message.type)) return message as In & { type: T };
    }
  }

  send(message: Out): void {
    this.#port.postMessage(message);
  }

  close(): void {
    this.#port.close();
  }
}
