/**
 * Keeps an error of a UDP socket from ending the process. werift's sockets have no `error` listener
 * (werift-audit.md 4), and a candidate of the browser that we have no route to is enough to raise
 * one. Datagrams may be lost at any time, so a failed send is no more than that.
 *
 * Not here: who may send to the socket (that is `udp.ts`, still to come).
 */
import type { Buffer } from "node:buffer";
import type { Socket } from "node:dgram";
import { UdpTransport } from "werift";

type Init = typeof UdpTransport.init;
type Send = (data: Buffer, address?: readonly [string, number]) => Promise<void>;

/** common/src/transport.ts: the constructor and `init` are private in name only. */
interface Transport {
  readonly socket: Socket;
  init(): Promise<void>;
  send: Send;
  close(): Promise<void>;
}

let patched = false;

/** Replaces the factory of werift's sockets, once for the process. */
export function patchUdp(): void {
  if (patched) return;
  patched = true;
  if (typeof UdpTransport.init !== "function") {
    throw new Error("Cannot use werift: UdpTransport.init is gone");
  }
  UdpTransport.init = open as unknown as Init;
}

async function open(...parameters: Parameters<Init>): Promise<Transport> {
  const Constructor = UdpTransport as unknown as new (...values: Parameters<Init>) => Transport;
  const transport = new Constructor(...parameters);
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => {}); // an error after `init` concerns one datagram, and nobody waits for it
  transport.socket.on("error", reject);
  try {
    await Promise.race([transport.init(), failed]);
  } catch (error) {
    await transport.close();
    throw error;
  }
  const send = transport.send;
  transport.send = (data, address) => send(data, address).catch(() => {});
  return transport;
}
