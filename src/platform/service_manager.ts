/**
 * What systemd is told of a daemon that it started with `Type=notify` (sd_notify(3)): that it serves, what it does, that it
 * ends, and, while it is well, that it lives. Without systemd nothing is told.
 *
 * Deno sends the datagram itself. Node has no such sockets (nodejs/node#61933): there the program `systemd-notify` sends
 * it, which the unit has to allow (`NotifyAccess=all`).
 */
import { execFile } from "node:child_process";
import process from "node:process";

/** What systemd put into the environment of the process that it started. */
export type Environment = Readonly<Partial<Record<string, string>>>;

/** The manager of this daemon. Telling it something never fails: who cannot be told notices by itself. */
export interface ServiceManager {
  /** The daemon serves; `status` is for people who ask systemd. From here on it is looked after while `isHealthy`. */
  ready(status: string, isHealthy: () => boolean): void;
  stopping(): void;
  /** Resolves when everything has been told. */
  close(): Promise<void>;
}

type Send = (text: string) => Promise<void>;
type Assignments = Readonly<Record<string, string>>;

/** Signs of life in the time that the manager waits for one (sd_watchdog_enabled(3) advises two). */
const SIGNS_IN_A_PERIOD = 3;
/** `systemd-notify` needs some 10 ms; a board that is busy has time until the next sign of life. */
const PROGRAM_LIMIT_MS = 5_000;
const MICROSECONDS_IN_A_MS = 1000;
/** What is not told at the end within this is not told. */
const CLOSE_LIMIT_MS = 2_000;

/** The manager that the environment names. `send` stands for its socket in tests. */
export function openServiceManager(
  env: Environment = process.env,
  send: Send | undefined = chooseSend(env),
): ServiceManager {
  return new Notifier(send, watchdogMs(env));
}

class Notifier implements ServiceManager {
  readonly #send: Send | undefined;
  readonly #watchdogMs: number | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** One message at a time: they arrive in order. At most a few wait, one sign of life among them. */
  #told = Promise.resolve();
  #signWaits = false;

  constructor(send: Send | undefined, watchdogMs: number | undefined) {
    this.#send = send;
    this.#watchdogMs = watchdogMs;
  }

  ready(status: string, isHealthy: () => boolean): void {
    this.#tell({ READY: "1", STATUS: status });
    if (this.#watchdogMs === undefined || this.#timer !== undefined) return;
    this.#timer = setInterval(
      () => isHealthy() && this.#sign(),
      this.#watchdogMs / SIGNS_IN_A_PERIOD,
    );
  }

  stopping(): void {
    this.#tell({ STOPPING: "1" });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_LIMIT_MS));
    await Promise.race([this.#told, limit]);
    clearTimeout(timer);
  }

  #sign(): void {
    if (this.#signWaits) return;
    this.#signWaits = true;
    this.#tell({ WATCHDOG: "1" }, () => this.#signWaits = false);
  }

  #tell(assignments: Assignments, then = () => {}): void {
    const send = this.#send;
    if (send === undefined) return;
    const text = Object.entries(assignments).map(([name, value]) => `${name}=${oneLine(value)}\n`);
    this.#told = this.#told.then(() => send(text.join(""))).catch(() => {}).then(then);
  }
}

/** A line break would begin another assignment. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

/** In what time a sign of life must come; undefined where nobody waits for one, or not for this process. */
export function watchdogMs(env: Environment, pid = process.pid): number | undefined {
  const { WATCHDOG_USEC: period = "", WATCHDOG_PID: whose = String(pid) } = env;
  if (!/^[1-9]\d{0,14}$/.test(period) || whose !== String(pid)) return undefined;
  return Number(period) / MICROSECONDS_IN_A_MS;
}

function chooseSend(env: Environment): Send | undefined {
  const { NOTIFY_SOCKET: path } = env;
  if (path === undefined || !/^[/@]./.test(path)) return undefined;
  const listen = typeof Deno === "object" ? Deno.listenDatagram : undefined;
  return listen === undefined ? sendByProgram : (text) => sendDatagram(listen, { path, text });
}

/** From a socket of our own in the abstract namespace: it leaves no file behind, and needs no folder to be written to. */
async function sendDatagram(
  listen: typeof Deno.listenDatagram,
  { path, text }: { readonly path: string; readonly text: string },
): Promise<void> {
  const own = `\0porthole-notify-${process.pid}-${crypto.randomUUID()}`;
  const socket = listen({ transport: "unixpacket", path: own });
  try {
    const address = { transport: "unixpacket", path: path.replace(/^@/, "\0") } as const;
    await socket.send(new TextEncoder().encode(text), address);
  } finally {
    socket.close();
  }
}

function sendByProgram(text: string): Promise<void> {
  return new Promise((resolve) => {
    const options = { timeout: PROGRAM_LIMIT_MS };
    execFile("systemd-notify", text.trimEnd().split("\n"), options, () => resolve());
  });
}
