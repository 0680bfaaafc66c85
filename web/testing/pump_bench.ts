/** A pump session with a bridge bound to the service "ui", and a device double behind it, in one process. */
import type { PumpToShell } from "../pump/messages.ts";
import { PumpSession } from "../pump/pump_session.ts";
import type { FromPump } from "../sw/port_messages.ts";
import { PortEnd } from "./port_end.ts";
import { channelPair, type PairedChannel } from "./channel_pair.ts";
import { DeviceDouble, type DoubleStream } from "./device_double.ts";

/** The client's end of one stream's port; tests also send what no client may. */
export class PortClient extends PortEnd<FromPump, unknown> {}

export class PumpBench {
  readonly told: PumpToShell[] = [];
  readonly session = new PumpSession((message) => this.told.push(message));
  near!: PairedChannel; // these three are set by `reconnect`, which the constructor calls
  far!: PairedChannel;
  device!: DeviceDouble;
  /** The bridge's end of its port. */
  readonly bridge: MessagePort;
  readonly #clients: PortClient[] = [];

  readonly #route: (stream: DoubleStream) => void;

  constructor(route: (stream: DoubleStream) => void) {
    this.#route = route;
    this.reconnect();
    const { port1, port2 } = new MessageChannel();
    this.bridge = port1;
    this.session.receive({ type: "service", service: "ui", port: port2 });
  }

  /** A new session over a new pair of channels. */
  reconnect(): void {
    this.device?.close();
    [this.near, this.far] = channelPair();
    this.device = new DeviceDouble(this.far, this.#route);
    this.session.attach(this.near);
  }

  /** Asks whether there is a session, as a bridge would. */
  async ping(title: unknown): Promise<unknown> {
    const { port1, port2 } = new MessageChannel();
    const answer = new Promise((resolve) => port1.onmessage = ({ data }) => resolve(data));
    this.bridge.postMessage({ type: "ping", title }, [port2]);
    try {
      return await answer;
    } finally {
      port1.close();
    }
  }

  /** Opens a stream as a bridge would. */
  open(head: unknown = { kind: "http", method: "GET", path: "/", headers: [] }): PortClient {
    const { port1, port2 } = new MessageChannel();
    this.bridge.postMessage({ type: "open", head }, [port2]);
    const client = new PortClient(port1);
    this.#clients.push(client);
    return client;
  }

  [Symbol.dispose](): void {
    this.session.dispose();
    this.device.close();
    this.bridge.close();
    for (const client of this.#clients) client.close();
  }
}
