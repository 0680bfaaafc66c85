/**
 * The pump without its worker: one session (a mux over the bulk channel) and the bridge ports that the shell bound to
 * services. `pump.ts` runs it in a dedicated worker; `page_pump.ts` runs it in the page where a channel cannot be
 * transferred. It trusts the shell, and neither the agent nor any bridge.
 */
import { StreamError } from "../../src/protocol/errors.ts";
import type { MuxEvent } from "../../src/protocol/mux.ts";
import {
  boundedText,
  type FromPump,
  isRecord,
  MAX_TITLE_LENGTH,
  parseStreamHead,
  type Pong,
  type PumpToBridge,
  type StreamHead,
} from "../sw/port_messages.ts";
import { ChannelDriver, type DriverChannel } from "./channel_driver.ts";
import type { PumpEnd, PumpToShell, ShellToPump } from "./messages.ts";
import { PortStream } from "./port_stream.ts";

/** Bridges bound at once: a tab shows a handful of services; a bridge that reloads binds a new port. */
const MAX_BRIDGES = 64;
/** Streams that one bridge may have open, so that one service's page cannot take all 256 of the connection. */
const MAX_STREAMS_PER_BRIDGE = 224;

interface Bridge {
  readonly service: string;
  readonly port: MessagePort;
  streams: number;
}

/** Takes the shell's messages, answers through `tell`. */
export class PumpSession {
  readonly #tell: (message: PumpToShell) => void;
  readonly #bridges: Bridge[] = [];
  readonly #streams = new Map<number, PortStream>();
  #driver: ChannelDriver | undefined;
  /** Sessions so far. */
  #sessions = 0;

  constructor(tell: (message: PumpToShell) => void) {
    this.#tell = tell;
  }

  /** One message of the shell. */
  receive(message: ShellToPump): void {
    switch (message.type) {
      case "channel":
        return this.attach(message.channel);
      case "service":
        return this.#bind(message.service, message.port);
      case "stats":
        if (this.#driver !== undefined) this.#tell({ type: "stats", stats: this.#driver.stats });
        return;
      case "close":
        return this.#end("asked");
    }
  }

  /** Begins a session on this channel; one that was running ends. */
  attach(channel: DriverChannel): void {
    if (this.#driver !== undefined) this.#end("asked");
    const driver = new ChannelDriver(channel, {
      role: "opener",
      listener: {
        open: () => this.#opened(),
        event: (event: MuxEvent) => this.#streams.get(event.id)?.event(event),
        closed: (reason) => this.#end(reason),
      },
    });
    this.#driver = driver;
    this.#sessions++;
    driver.start();
  }

  /** Ends the session and lets every bridge go: for a pump that is given up for good. */
  dispose(): void {
    this.#end("asked");
    for (const bridge of this.#bridges.splice(0)) bridge.port.close();
  }

  /** Requests may be waiting for this. */
  #opened(): void {
    this.#tell({ type: "ready" });
    for (const { port } of this.#bridges) {
      port.postMessage({ type: "ready" } satisfies PumpToBridge);
    }
  }

  #bind(service: string, port: MessagePort): void {
    if (this.#bridges.length >= MAX_BRIDGES) this.#bridges.shift()?.port.close(); // silent for longest: long gone
    const bridge: Bridge = { service, port, streams: 0 };
    this.#bridges.push(bridge);
    port.onmessage = (event) => this.#take(bridge, event);
    port.addEventListener("close", () => this.#unbind(bridge));
  }

  #unbind(bridge: Bridge): void {
    const index = this.#bridges.indexOf(bridge);
    if (index >= 0) this.#bridges.splice(index, 1);
    bridge.port.close();
  }

  #take(bridge: Bridge, event: MessageEvent): void {
    const port = event.ports[0];
    if (port === undefined || !isRecord(event.data)) return;
    this.#bridges.sort((a, b) => Number(a === bridge) - Number(b === bridge)); // the last to speak comes last
    if (event.data.type === "ping") return this.#answer(event.data, port);
    if (event.data.type === "open") this.#takeOpen(bridge, { data: event.data, port });
  }

  /** A worker asks before it sends: without a session it then tries another tab, or waits for the next one. */
  #answer(ping: Record<string, unknown>, port: MessagePort): void {
    const title = boundedText(ping.title, MAX_TITLE_LENGTH) ?? "";
    const up = this.#driver?.open === true;
    const pong: Pong = up
      ? { porthole: "pong", title, session: this.#sessions }
      : { porthole: "no-session" };
    port.postMessage(pong);
    port.close();
  }

  #takeOpen(
    bridge: Bridge,
    { data, port }: { data: Record<string, unknown>; port: MessagePort },
  ): void {
    const head = parseStreamHead(data.head);
    const driver = this.#driver;
    if (head === undefined) return refuse(port, "protocol");
    if (driver === undefined) return refuse(port, "session_closed");
    if (bridge.streams >= MAX_STREAMS_PER_BRIDGE) return refuse(port, "limit");
    this.#open(driver, { bridge, head, port });
  }

  #open(
    driver: ChannelDriver,
    request: { bridge: Bridge; head: StreamHead; port: MessagePort },
  ): void {
    const { bridge, head, port } = request;
    try {
      const id = driver.run((mux, now) => mux.open(now, { ...head, service: bridge.service }));
      const forget = () => {
        if (this.#streams.delete(id)) bridge.streams--;
      };
      const stream = new PortStream(port, {
        id,
        kind: head.kind,
        run: (call) => driver.run(call),
        forget,
      });
      this.#streams.set(id, stream);
      bridge.streams++;
      stream.start();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      refuse(port, error.code);
    }
  }

  #end(reason: PumpEnd): void {
    if (this.#driver === undefined) return;
    this.#driver.close();
    this.#driver = undefined;
    for (const stream of [...this.#streams.values()]) stream.fail("session_closed");
    this.#tell({ type: "closed", reason });
  }
}

function refuse(port: MessagePort, code: StreamError["code"]): void {
  port.postMessage({ type: "error", code } satisfies FromPump);
  port.close();
}
