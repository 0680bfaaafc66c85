/**
 * Finds a bridge frame that answers. Any live bridge serves any request of its origin, so nothing here needs to
 * survive the worker: after a restart it looks again.
 */
import {
  boundedText,
  isRecord,
  MAX_ADDRESS_LENGTH,
  MAX_TITLE_LENGTH,
  RESERVED_PREFIX,
  type WorkerToBridge,
} from "./port_messages.ts";

/** Path of the bridge's document on every content origin. */
export const BRIDGE_PATH = `${RESERVED_PREFIX}bridge.html`;

/** The waits, in ms; tests bring their own. */
export interface BridgeLimits {
  /** How long a bridge may take to answer before the next is asked as well. */
  readonly pong: number;
  /** How long a request waits for a bridge to appear: a tab that reloads needs its session back. */
  readonly appear: number;
  /** Pause between two looks when no bridge has said that it is ready. */
  readonly lookAgain: number;
  /** A bridge that answered is not asked again for this long: a page's sixty files cost one question. */
  readonly trusted: number;
}

const LIMITS: BridgeLimits = { pong: 1000, appear: 8000, lookAgain: 500, trusted: 2000 };

/** Bridges that are asked at most; a person has a few tabs of one device. */
const MAX_ASKED = 16;

/** What a tab that the shell opened is called: by Chromium, and by Firefox (Service Workers 4.2.3). */
const TABS: ReadonlySet<string> = new Set(["top-level", "auxiliary"]);

/** A frame of the shell that passes ports on. */
export interface Bridge {
  readonly id: string;
  /** The service's name for people; empty while unknown. */
  readonly title: string;
  /** Names the session that was up when it answered, among all that this browser has. */
  readonly session: string;
  post(message: WorkerToBridge, port?: MessagePort): void;
}

/** As much of `Clients` as is used. */
export interface BridgeClients {
  matchAll(
    options: { includeUncontrolled: true; type: "window" },
  ): Promise<readonly BridgeClient[]>;
  get(id: string): Promise<BridgeClient | undefined>;
}

/** As much of a `Client` as is used. */
export interface BridgeClient {
  readonly id: string;
  readonly url: string;
  readonly frameType?: string;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** Looks for bridges among the clients of this worker. */
export class Bridges {
  readonly #clients: BridgeClients;
  readonly #limits: BridgeLimits;
  readonly #waiting = new Set<() => void>();
  #last: { bridge: Bridge; at: number } | undefined;
  /** The one that answered last, trusted or not: bodies may still come through it. */
  #latest: Bridge | undefined;
  #asking: Promise<Bridge | undefined> | undefined;

  constructor(clients: BridgeClients, limits = LIMITS) {
    this.#clients = clients;
    this.#limits = limits;
  }

  /** A bridge got its port: whoever waits looks again. */
  ready(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** A bridge turned out to have lost its session: it is asked again before the next request. */
  distrust(): void {
    this.#last = undefined;
  }

  /** A bridge that answers; undefined when none did in time. */
  async find(): Promise<Bridge | undefined> {
    const limit = performance.now() + this.#limits.appear;
    let trustedFor = this.#limits.trusted;
    do {
      const bridge = await this.answering(trustedFor);
      if (bridge !== undefined) return bridge;
      trustedFor = 0;
      await this.#sleep(Math.min(this.#limits.lookAgain, limit - performance.now()));
    } while (performance.now() < limit);
    return undefined;
  }

  /** A bridge that answers within one round of questions. */
  async known(): Promise<Bridge | undefined> {
    return await this.answering(Infinity);
  }

  /** A bridge that answers now, or did so within the last `trustedFor` ms; undefined when none does. */
  async answering(trustedFor: number): Promise<Bridge | undefined> {
    const trusted = this.#last;
    if (trusted !== undefined && performance.now() - trusted.at < trustedFor) {
      if (await this.exists(trusted.bridge.id)) return trusted.bridge;
    }
    this.#asking ??= this.#ask().finally(() => this.#asking = undefined); // one question for all who wait for it
    const bridge = await this.#asking;
    if (bridge === undefined) return undefined;
    this.#latest = bridge;
    this.#last = { bridge, at: performance.now() };
    return bridge;
  }

  /** Lets the bridge that answered last answer once more; what comes back is work for this worker. */
  beat(): void {
    this.#latest?.post({ porthole: "beat" });
  }

  /** Where the shell shows the service of this bridge; empty when it does not say. */
  async where(bridge: Bridge): Promise<string> {
    const { port1, port2 } = new MessageChannel();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const answer = await new Promise<unknown>((resolve) => {
      timer = setTimeout(resolve, this.#limits.pong);
      port1.onmessage = ({ data }) => resolve(data);
      bridge.post({ porthole: "where" }, port2);
    });
    clearTimeout(timer);
    port1.close();
    return boundedText(answer, MAX_ADDRESS_LENGTH) ?? "";
  }

  /** Whether a bridge's frame is still there. */
  async exists(id: string): Promise<boolean> {
    return await this.#clients.get(id) !== undefined;
  }

  /** The first that answers, each asked a second after the one before. */
  async #ask(): Promise<Bridge | undefined> {
    const all = await this.#clients.matchAll({ includeUncontrolled: true, type: "window" });
    // A device's page in a tab of its own is a bridge as well; frames of the shell are asked first.
    const isBridge = (client: BridgeClient) => new URL(client.url).pathname === BRIDGE_PATH;
    const isTab = ({ frameType = "" }: BridgeClient) => TABS.has(frameType);
    const tabs = all.filter((one) => isTab(one) && !isBridge(one));
    const bridges = [...all.filter(isBridge), ...tabs];
    const pings: Ping[] = [];
    try {
      for (const client of bridges.slice(0, MAX_ASKED)) {
        pings.push(ping(client));
        const answers = pings.map(({ answer }) => answer);
        const bridge = await firstOf(answers, this.#limits.pong);
        if (bridge !== undefined) return bridge;
      }
      return undefined;
    } finally {
      for (const { close } of pings) close();
    }
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, milliseconds));
      this.#waiting.add(wake);
    });
  }
}

/** A question under way. `answer` is undefined without a session, and never settles for a bridge that says nothing. */
interface Ping {
  readonly answer: Promise<Bridge | undefined>;
  close(): void;
}

function ping(client: BridgeClient): Ping {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<Bridge | undefined>((resolve) => {
    port1.onmessage = (event) => resolve(toBridge(client, event.data));
  });
  client.postMessage({ porthole: "ping" } satisfies WorkerToBridge, [port2]);
  return { answer, close: () => port1.close() };
}

function toBridge(client: BridgeClient, pong: unknown): Bridge | undefined {
  if (!isRecord(pong) || pong.porthole !== "pong") return undefined;
  return {
    id: client.id,
    title: boundedText(pong.title, MAX_TITLE_LENGTH) ?? "",
    session: `${client.id} ${typeof pong.session === "number" ? pong.session : 0}`,
    post: (message, port) => client.postMessage(message, port === undefined ? [] : [port]),
  };
}

/** The first that is a bridge; undefined when all said no, or at the limit. */
async function firstOf(
  answers: readonly Promise<Bridge | undefined>[],
  limit: number,
): Promise<Bridge | undefined> {
  const bridges = answers.map(async (answer) => {
    const bridge = await answer;
    if (bridge === undefined) throw new TypeError("Cannot use a bridge: it has no session");
    return bridge;
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limit);
  });
  try {
    return await Promise.race([Promise.any(bridges).catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
