/** Two neighbouring UDP ports, the even one for RTP (RFC 3550 11), open to one address only. */
import { createSocket, type Socket } from "node:dgram";
import { CameraError } from "../source.ts";
import type { PortPair } from "./transport.ts";

// half of the ports that the system gives are odd; the neighbour is rarely taken
const BIND_ATTEMPTS = 20;
const RECEIVE_BUFFER_BYTES = 1024 * 1024; // an IDR of a 4K camera comes in one burst

const EMPTY = new Uint8Array();

export interface UdpHandlers {
  rtp(bytes: Uint8Array): void;
  rtcp(bytes: Uint8Array): void;
}

export class UdpPair {
  readonly ports: PortPair;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #camera: string;

  private constructor(sockets: readonly [Socket, Socket], ports: PortPair, camera: string) {
    [this.#rtp, this.#rtcp] = sockets;
    this.ports = ports;
    this.#camera = camera;
  }

  /**
   * Opens a pair for the camera at this address. Throws a CameraError `broken` when no pair is
   * free.
   */
  static async open(camera: string): Promise<UdpPair> {
    for (let attempt = 0; attempt < BIND_ATTEMPTS; attempt++) {
      const first = await bind(camera, 0);
      const port = first?.address().port ?? 1;
      const second = port % 2 === 0 ? await bind(camera, port + 1) : undefined;
      if (first !== undefined && second !== undefined) {
        return new UdpPair([first, second], [port, port + 1], camera);
      }
      first?.close();
    }
    throw new CameraError("broken", "Cannot receive video: no two neighbouring UDP ports are free");
  }

  /**
   * Packets of any other address are dropped. Left out: cameras that send from another address than
   * they answer from.
   */
  listen(handlers: UdpHandlers): void {
    this.#rtp.on("message", (bytes, from) => {
      if (from.address === this.#camera) handlers.rtp(bytes);
    });
    this.#rtcp.on("message", (bytes, from) => {
      if (from.address === this.#camera) handlers.rtcp(bytes);
    });
  }

  /** Firewalls let in what comes from where something was sent to: an empty packet to each port. */
  open(ports: PortPair): void {
    this.#rtp.send(EMPTY, ports[0], this.#camera, ignoreLoss);
    this.#rtcp.send(EMPTY, ports[1], this.#camera, ignoreLoss);
  }

  sendRtcp(bytes: Uint8Array, port: number): void {
    this.#rtcp.send(bytes, port, this.#camera, ignoreLoss);
  }

  close(): void {
    this.#rtp.close();
    this.#rtcp.close();
  }
}

/** A report that cannot be sent is a lost datagram: the next one follows. */
function ignoreLoss(): void {}

function bind(camera: string, port: number): Promise<Socket | undefined> {
  const type = camera.includes(":") ? "udp6" : "udp4";
  const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES });
  return new Promise((resolve) => {
    socket.on("error", () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind(port, () => {
      socket.removeAllListeners("error");
      socket.on("error", ignoreLoss);
      resolve(socket);
    });
  });
}
