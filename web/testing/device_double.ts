/**
 * A test double of the agent and the device behind it: the other end of the mux, with canned answers. It stands where
 * the agent's session stands and speaks the real protocol through the real driver; it has no LAN and no WebRTC of the
 * agent's kind.
 */
import { type Bytes, concat, utf8 } from "../../src/lib/bytes.ts";
import type { Header, RequestHead, SocketClose } from "../../src/protocol/http.ts";
import type { MuxEvent } from "../../src/protocol/mux.ts";
import { ChannelDriver, type DriverChannel } from "../pump/channel_driver.ts";

/** One stream that a page opened. */
export interface DoubleStream {
  readonly head: RequestHead;
  respond(status: number, headers?: readonly Header[]): void;
  write(bytes: Bytes | string, message?: { text: boolean; last: boolean }): void;
  end(close?: SocketClose): void;
  reset(code: "upstream_unreachable" | "upstream_broken"): void;
  /** Called with the whole request body. */
  onBody(listener: (body: Bytes) => void): void;
  /** WebSocket: called with every part and, once, with the close. */
  onMessage(listener: (bytes: Bytes, message: { text: boolean; last: boolean }) => void): void;
  onClose(listener: (close: SocketClose | undefined) => void): void;
}

type Route = (stream: DoubleStream) => void;

interface Open {
  readonly parts: Bytes[];
  body: (body: Bytes) => void;
  message: (bytes: Bytes, message: { text: boolean; last: boolean }) => void;
  close: (close: SocketClose | undefined) => void;
}

/** The far end. `resets` lists the paths that the browser gave up, in order. */
export class DeviceDouble {
  readonly resets: string[] = [];
  readonly heads: RequestHead[] = [];
  readonly #driver: ChannelDriver;
  readonly #route: Route;
  readonly #streams = new Map<number, Open & { readonly path: string }>();

  constructor(channel: DriverChannel, route: Route) {
    this.#route = route;
    this.#driver = new ChannelDriver(channel, {
      role: "acceptor",
      listener: { open() {}, event: (event) => this.#take(event), closed() {} },
    });
    this.#driver.start();
  }

  close(): void {
    this.#driver.close();
  }

  #take(event: MuxEvent): void {
    if (event.type === "open") return this.#open(event.id, event.head);
    const stream = this.#streams.get(event.id);
    if (stream === undefined) return;
    if (event.type === "data") {
      const bytes = event.bytes.slice();
      stream.parts.push(bytes);
      stream.message(bytes, event);
      this.#driver.run((mux, now) => mux.consumed(now, event.id, bytes.length));
    } else if (event.type === "end") {
      stream.body(concat(...stream.parts));
      stream.close(event.close);
    } else if (event.type === "reset") {
      this.resets.push(stream.path);
      this.#streams.delete(event.id);
    }
  }

  #open(id: number, head: RequestHead): void {
    this.heads.push(head);
    const open: Open & { path: string } = {
      path: head.path,
      parts: [],
      body() {},
      message() {},
      close() {},
    };
    this.#streams.set(id, open);
    const run = (call: Parameters<ChannelDriver["run"]>[0]) => void this.#driver.run(call);
    this.#route({
      head,
      respond: (status, headers = []) =>
        run((mux, now) => mux.respond(now, id, { status, headers })),
      write: (bytes, message) =>
        run((mux, now) =>
          mux.write(now, id, typeof bytes === "string" ? utf8(bytes) : bytes, message)
        ),
      end: (close) => run((mux, now) => mux.end(now, id, close)),
      reset: (code) => run((mux, now) => mux.reset(now, id, code)),
      onBody: (listener) => open.body = listener,
      onMessage: (listener) => open.message = listener,
      onClose: (listener) => open.close = listener,
    });
  }
}
