/**
 * A device at the rendezvous. It proves its key, and from then on takes what browsers send to its mailbox.
 *
 *   challenged -> verifying -> registered -> closed        any state -> closed
 */
import { randomBytes } from "node:crypto";
import { type Bytes, fromBase64Url, toBase64Url } from "../lib/bytes.ts";
import {
  type FromDevice,
  MAX_SIGNAL_LENGTH,
  NONCE_BYTES,
  parseFromDevice,
  registrationText,
} from "../protocol/signal.ts";
import type { ClientSocket } from "./client_socket.ts";
import type { Desk } from "./desk.ts";
import { SESSION_CREDENTIALS_MS, TURN_LIFETIME_SECONDS } from "./limits.ts";
import { Newcomers } from "./newcomers.ts";
import { type Peer, Peers } from "./peers.ts";
import { isOffer, People } from "./people.ts";
import type { Letter, Mailbox } from "./switchboard.ts";
import { TokenBucket } from "./token_bucket.ts";

type Register = Extract<FromDevice, { type: "register" }>;

interface Registration {
  readonly device: string;
  readonly mailbox: Mailbox;
  presence: string;
  iceServersSince: number;
  readonly leave: () => void;
}

type State =
  | { readonly kind: "challenged"; readonly nonce: Bytes }
  | { readonly kind: "verifying" }
  | { readonly kind: "registered"; readonly registration: Registration }
  | { readonly kind: "closed" };

export class DeviceConnection {
  readonly #socket: ClientSocket;
  readonly #desk: Desk;
  readonly #address: string;
  readonly #peers: Peers;
  readonly #messages: TokenBucket;
  readonly #newcomers: Newcomers;
  readonly #people: People;
  #state: State = { kind: "closed" };
  #registerTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: ClientSocket, desk: Desk, address: string) {
    const { limits, now } = desk;
    this.#socket = socket;
    this.#desk = desk;
    this.#address = address;
    this.#peers = new Peers(limits.peersPerDevice, limits.peerCharacters);
    this.#messages = new TokenBucket(limits.deviceMessages, now());
    this.#newcomers = new Newcomers(desk.callers, { limits, now: now() });
    this.#people = new People(limits);
  }

  /** Sends the challenge. Call once. */
  start(onClosed: () => void): void {
    this.#socket.start({
      message: (text) => this.#read(text),
      beat: () => this.#renewCredentials(),
      closed: () => {
        this.#leave();
        onClosed();
      },
    });
    const nonce = new Uint8Array(randomBytes(NONCE_BYTES));
    this.#state = { kind: "challenged", nonce };
    this.#registerTimer = setTimeout(() => this.#socket.close(), this.#desk.limits.registerMs);
    this.#socket.send({ type: "challenge", nonce: toBase64Url(nonce) });
  }

  alive(limitMs: number): Promise<boolean> {
    return this.#socket.alive(limitMs);
  }

  #read(text: string): void {
    if (!this.#messages.take(this.#desk.now())) return this.#socket.refuse("too_many");
    if (text.length > MAX_SIGNAL_LENGTH) return this.#socket.refuse("too_large");
    const message = parseFromDevice(text);
    if (message === undefined) return this.#socket.refuse("malformed");
    if (this.#state.kind === "registered") return this.#handle(message, this.#state.registration);
    if (this.#state.kind === "challenged" && message.type === "register") {
      return this.#verify(message, this.#state.nonce);
    }
    this.#socket.refuse("malformed");
  }

  #verify(message: Register, nonce: Bytes): void {
    const { registrationsPerAddress, log, now } = this.#desk;
    if (!registrationsPerAddress.take(this.#address, now())) return this.#socket.refuse("too_many");
    this.#state = { kind: "verifying" };
    this.#register(message, nonce).catch((error: unknown) => {
      log.error("device.register_failed", { error: String(error) });
      this.#socket.refuse("internal");
    });
  }

  async #register(message: Register, nonce: Bytes): Promise<void> {
    const { verify, deviceId, registry, switchboard, iceServers, shellOrigin, log, now } =
      this.#desk;
    const key = fromBase64Url(message.key);
    const signature = fromBase64Url(message.signature);
    if (!await verify(key, registrationText(nonce, key), signature)) {
      return this.#socket.refuse("bad_signature");
    }
    const device = await deviceId(key);
    if (!await registry.claim(device, this)) return this.#socket.refuse("already_registered");
    if (this.#state.kind !== "verifying") return registry.release(device, this); // closed meanwhile
    clearTimeout(this.#registerTimer);
    const mailbox: Mailbox = `device:${device}`;
    const leave = switchboard.attach(mailbox, (letter) => this.#receive(letter));
    const registration = {
      device,
      mailbox,
      presence: message.presence,
      iceServersSince: now(),
      leave,
    };
    this.#state = { kind: "registered", registration };
    this.#socket.send({ type: "registered", iceServers: iceServers(), shell: shellOrigin });
    log.info("device.registered", { device });
  }

  #handle(message: FromDevice, registration: Registration): void {
    switch (message.type) {
      case "register":
        return this.#socket.refuse("malformed");
      case "presence":
        registration.presence = message.presence;
        return;
      case "people":
        return this.#people.replace(fromBase64Url(message.tags));
      case "send":
        return this.#send(message.peer, message.sealed, registration);
    }
  }

  /** On the device's own beat, at half their life: no timer, and no traffic of its own. */
  #renewCredentials(olderThanMs = TURN_LIFETIME_SECONDS * 500): void {
    if (this.#state.kind !== "registered") return;
    const { registration } = this.#state;
    const now = this.#desk.now();
    if (now - registration.iceServersSince < olderThanMs) return;
    registration.iceServersSince = now;
    this.#socket.send({ type: "ice-servers", iceServers: this.#desk.iceServers() });
  }

  #send(peer: number, sealed: string, registration: Registration): void {
    const mailbox = this.#peers.mailboxOf(peer);
    if (mailbox === undefined) {
      return this.#socket.send({ type: "refused", code: "unknown_peer" }); // it left meanwhile: nobody's fault
    }
    this.#desk.switchboard.deliver(mailbox, { type: "reply", from: registration.mailbox, sealed });
  }

  /** Letters from browsers. */
  #receive(letter: Letter): void {
    if (this.#state.kind !== "registered") return;
    const { registration } = this.#state;
    switch (letter.type) {
      case "find":
        this.#askForLife();
        return this.#desk.switchboard.deliver(letter.from, {
          type: "found",
          device: registration.device,
          presence: registration.presence,
        });
      case "sealed":
        return this.#deliver(letter, registration);
      case "gone":
        return this.#forget(letter.from);
      case "unreachable":
        return this.#forget(letter.mailbox);
      case "found":
      case "reply":
      case "refused":
        return; // meant for browsers
    }
  }

  #deliver(letter: Letter & { type: "sealed" }, registration: Registration): void {
    const { from, sealed } = letter;
    const peer = this.#peers.find(from);
    const sender = peer && !isOffer(sealed) ? peer : this.#welcome(letter, registration);
    if (!sender?.budget.take(this.#desk.now(), { amount: sealed.length })) {
      return this.#refuse(from, registration);
    }
    this.#askForLife();
    if (peer === undefined && this.#desk.hasRelay) this.#renewCredentials(SESSION_CREDENTIALS_MS);
    this.#socket.send({ type: "deliver", peer: sender.number, sealed });
  }

  /** Whoever makes an offer, or is new: a person whom the device knows, or one of the strangers. */
  #welcome(
    { from, address, sealed }: Letter & { type: "sealed" },
    registration: Registration,
  ): Peer | undefined {
    const now = this.#desk.now();
    const person = this.#personOf(sealed, now);
    if (person === undefined && !this.#mayCome(address, { registration, now })) return undefined;
    const peer = this.#peers.find(from);
    if (peer !== undefined) return peer;
    this.#makeRoom(registration);
    return this.#peers.add(from, { address, person, now });
  }

  /** Who makes this offer, if the device knows its tag and it comes no oftener than a person does. */
  #personOf(sealed: string, now: number): string | undefined {
    const { deviceBacklog, placesOfPerson } = this.#desk.limits;
    const person = this.#people.find(sealed);
    return person !== undefined && this.#socket.waiting <= 2 * deviceBacklog &&
        this.#peers.countOf(person) < placesOfPerson && this.#people.take(person, now)
      ? person
      : undefined;
  }

  #mayCome(
    address: string,
    { registration: { device }, now }: { registration: Registration; now: number },
  ): boolean {
    return this.#socket.waiting <= this.#desk.limits.deviceBacklog &&
      this.#newcomers.take({ device, address, now });
  }

  /** A place is free after this, another's if need be. */
  #makeRoom(registration: Registration): void {
    const crowding = this.#peers.crowding;
    if (crowding === undefined) return;
    this.#forget(crowding.mailbox);
    this.#refuse(crowding.mailbox, registration);
  }

  #refuse(mailbox: Mailbox, registration: Registration): void {
    const letter: Letter = { type: "refused", from: registration.mailbox, code: "too_many" };
    this.#desk.switchboard.deliver(mailbox, letter);
  }

  #forget(mailbox: Mailbox): void {
    const peer = this.#peers.remove(mailbox);
    if (peer !== undefined) this.#socket.send({ type: "gone", peer });
  }

  /** Somebody wants a device that has long been silent: if it is dead, let the next one know at once. */
  #askForLife(): void {
    if (this.#socket.silence > this.#desk.limits.deviceFreshMs) this.#socket.wake();
  }

  #leave(): void {
    clearTimeout(this.#registerTimer);
    if (this.#state.kind === "registered") {
      const { device, leave } = this.#state.registration;
      leave();
      this.#desk.registry.release(device, this);
      this.#desk.log.info("device.left", { device });
    }
    this.#state = { kind: "closed" };
  }
}
