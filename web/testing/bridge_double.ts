/** A test double of a bridge frame as the service worker sees it: answers pings, passes ports on. */
import { BRIDGE_PATH, type BridgeClient, type BridgeClients } from "../sw/bridges.ts";
import { isRecord, type Pong } from "../sw/port_messages.ts";

/** One frame. `alive` is whether it answers, `session` what. */
export class BridgeDouble implements BridgeClient {
  readonly url: string;
  alive = true;
  session = true;
  pings = 0;
  /** Number of the session. */
  sessions = 1;
  beats = 0;
  /** What it says of the shell; undefined for nothing at all. */
  address: unknown = "";
  onPing: () => void = () => {};

  constructor(
    readonly id: string,
    readonly pass: (head: unknown, port: MessagePort) => void = () => {},
    path = BRIDGE_PATH,
  ) {
    this.url = `http://x.localhost${path}`;
  }

  postMessage(message: unknown, transfer: Transferable[]): void {
    const port = transfer[0];
    if (!isRecord(message)) return;
    if (message.porthole === "beat") this.beats++;
    if (!(port instanceof MessagePort)) return;
    if (message.porthole === "where") {
      if (this.address !== undefined) port.postMessage(this.address);
      return port.close();
    }
    if (message.porthole === "stream") return this.pass(message.head, port);
    this.pings++;
    this.onPing();
    const pong: Pong = this.session
      ? { porthole: "pong", title: `Title ${this.id}`, session: this.sessions }
      : { porthole: "no-session" };
    if (this.alive) port.postMessage(pong);
    port.close();
  }
}

/** The clients of a worker. */
export class ClientsDouble implements BridgeClients {
  constructor(readonly list: BridgeDouble[]) {}

  matchAll(): Promise<readonly BridgeDouble[]> {
    return Promise.resolve([...this.list]);
  }

  get(id: string): Promise<BridgeDouble | undefined> {
    return Promise.resolve(this.list.find((bridge) => bridge.id === id));
  }
}
