/** A browser at the rendezvous. It proves nothing here: whom it may reach is between it and the device. */
import { randomBytes } from "node:crypto";
import { type FromBrowser, MAX_SIGNAL_LENGTH, parseFromBrowser } from "../protocol/signal.ts";
import type { ClientSocket } from "./client_socket.ts";
import type { Desk } from "./desk.ts";
import type { Letter, Mailbox } from "./switchboard.ts";
import { TokenBucket } from "./token_bucket.ts";

export class BrowserConnection {
  readonly #socket: ClientSocket;
  readonly #desk: Desk;
  readonly #address: string;
  readonly #mailbox: Mailbox = `browser:${randomBytes(16).toString("hex")}`;
  readonly #messages: TokenBucket;
  /** Devices that got a message of this browser and may answer. */
  readonly #devices = new Set<string>();

  constructor(socket: ClientSocket, desk: Desk, address: string) {
    this.#socket = socket;
    this.#desk = desk;
    this.#address = address;
    this.#messages = new TokenBucket(desk.limits.browserMessages, desk.now());
  }

  /** Opens the mailbox. Call once. */
  start(onClosed: () => void): void {
    const leave = this.#desk.switchboard.attach(this.#mailbox, (letter) => this.#receive(letter));
    this.#socket.start({
      message: (text) => this.#read(text),
      closed: () => {
        leave();
        for (const device of this.#devices) this.#leaveDevice(device);
        onClosed();
      },
    });
  }

  #read(text: string): void {
    if (!this.#messages.take(this.#desk.now())) return this.#socket.refuse("too_many");
    if (text.length > MAX_SIGNAL_LENGTH) return this.#socket.refuse("too_large");
    const message = parseFromBrowser(text);
    if (message === undefined) return this.#socket.refuse("malformed");
    this.#handle(message);
  }

  #handle(message: FromBrowser): void {
    switch (message.type) {
      case "find":
        return this.#post(message.device, { type: "find", from: this.#mailbox });
      case "send":
        if (!this.#mayReach(message.device)) {
          return this.#socket.send({ type: "refused", code: "too_many" });
        }
        return this.#post(message.device, {
          type: "sealed",
          from: this.#mailbox,
          address: this.#address,
          sealed: message.sealed,
        });
    }
  }

  #mayReach(device: string): boolean {
    if (this.#devices.has(device)) return true;
    if (this.#devices.size >= this.#desk.limits.devicesPerBrowser) return false;
    this.#devices.add(device);
    return true;
  }

  /** Lets a device forget us: we closed, or a message was dropped and the order of the next ones is lost with it. */
  #leaveDevice(device: string): void {
    this.#devices.delete(device);
    this.#post(device, { type: "gone", from: this.#mailbox });
  }

  #post(device: string, letter: Letter): void {
    this.#desk.switchboard.deliver(`device:${device}`, letter);
  }

  /** Letters from devices. */
  #receive(letter: Letter): void {
    switch (letter.type) {
      case "found": {
        const { device, presence } = letter;
        const iceServers = this.#desk.iceServers();
        return this.#socket.send({ type: "found", device, presence, iceServers });
      }
      case "reply": {
        const device = deviceOf(letter.from);
        if (!this.#devices.has(device)) return;
        return this.#socket.send({ type: "deliver", device, sealed: letter.sealed });
      }
      case "refused":
        this.#leaveDevice(deviceOf(letter.from));
        return this.#socket.send({ type: "refused", code: letter.code });
      case "unreachable": {
        const device = deviceOf(letter.mailbox);
        this.#devices.delete(device);
        return this.#socket.send({ type: "absent", device });
      }
      case "find":
      case "sealed":
      case "gone":
        return; // meant for devices
    }
  }
}

function deviceOf(mailbox: Mailbox): string {
  return mailbox.slice("device:".length);
}
