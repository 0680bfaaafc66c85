/**
 * What an attack is, and how one is run: a device of its own, an honest session that echoes all the
 * time, the attack, and then a look at everything that could have suffered. The same for our stack
 * and for stock werift.
 */
import { Device, type Target } from "./target.ts";
import { Viewer } from "./viewer.ts";

/** What went wrong, in a word; an attack that finds nothing was repelled. */
export type Harm =
  | "let in"
  | "answered a stranger"
  | "session ended"
  | "another session ended"
  | "process ended"
  | "process hung"
  | "too much memory"
  | "too much CPU";

export interface Scene {
  readonly device: Device;
  /** Somebody else's session; never to be touched by an attack from inside a session. */
  readonly honest: Viewer;
}

export interface Attack {
  readonly name: string;
  /** What stock werift suffers from it. */
  readonly stockHarm: Harm;
  /** Attacks, and reports the harm that only it can see. */
  run(scene: Scene): Promise<Harm[]>;
}

export interface Outcome {
  readonly harms: readonly Harm[];
  /** Figures and last words, for whoever reads a failure. */
  readonly notes: Readonly<Record<string, unknown>>;
}

/** Memory that may be in use more than before, in bytes: windows of 1 MiB, and compiled code. */
export const MAX_KEPT_BYTES = 8 << 20;
/** CPU that an attack may cost, in seconds: sessions are made and closed, code is compiled. */
const BASE_CPU_SECONDS = 1.5;
/** CPU that each hostile datagram may cost, in seconds: it is received, and decrypted at most. */
const DATAGRAM_CPU_SECONDS = 0.0001;
/** CPU that each request of the harness costs the device at most, in seconds. */
const REQUEST_CPU_SECONDS = 0.0005;
/** How long an echo may take, in ms: a lost datagram is sent again after one or two seconds. */
const ECHO_LIMIT_MS = 8000;
/** An honest viewer says something this often, in ms. */
const ECHO_PAUSE_MS = 50;

/** Runs one attack on a fresh device. Rejects only when the scene cannot be set. */
export async function runAttack(attack: Attack, target: Target): Promise<Outcome> {
  await using device = await Device.start(target);
  const honest = await Viewer.connect(device);
  // What a session costs only once, compiled code above all, is not the attacker's doing.
  const idle = await Viewer.connect(device);
  if (!await works(honest) || !await works(idle)) {
    throw new Error("Cannot set scene: no echo");
  }
  const echoes = new Echoes(honest);
  const before = { look: await device.look(), cpu: device.cpuSeconds() };
  const requests = device.requests;
  let failure: unknown;
  const found = await attack.run({ device, honest }).catch((error): Harm[] => {
    failure = error;
    return [];
  });
  const cpu = device.cpuSeconds() - before.cpu;
  const allowed = BASE_CPU_SECONDS + device.datagrams * DATAGRAM_CPU_SECONDS +
    (device.requests - requests) * REQUEST_CPU_SECONDS;
  const life = await device.life();
  // An attack breaks off where the device stops answering. A device that lives was not attacked.
  if (failure !== undefined && life === "alive") throw failure;
  const harms = new Set(found);
  if (life === "hung") harms.add("process hung");
  else if (life !== "alive") harms.add("process ended");
  if (cpu > allowed) harms.add("too much CPU");
  if (life === "alive" && !await echoes.end()) harms.add("another session ended");
  const after = life === "alive" ? await device.look() : undefined;
  const kept = (after?.keptBytes ?? NaN) - before.look.keptBytes;
  if (kept > MAX_KEPT_BYTES) harms.add("too much memory");
  const { datagrams } = device;
  const { slowest } = echoes;
  const figures = { life, kept, cpu, allowed, datagrams, slowest, counts: after?.counts };
  return { harms: [...harms], notes: figures };
}

/** Whether a session still works, from the view of its own viewer. */
export async function works(viewer: Viewer): Promise<boolean> {
  return await viewer.echo(ECHO_LIMIT_MS);
}

/** A session in use all the time. */
class Echoes {
  readonly #running: Promise<boolean>;
  #stopped = false;
  /** Longest time that an echo took, in ms. */
  slowest = 0;

  constructor(viewer: Viewer) {
    this.#running = this.#run(viewer);
  }

  /** Whether every message came back, one more included that is sent now. */
  async end(): Promise<boolean> {
    this.#stopped = true;
    return await this.#running;
  }

  async #run(viewer: Viewer): Promise<boolean> {
    for (let last = false; !last;) {
      last = this.#stopped;
      const start = performance.now();
      if (!await works(viewer)) return false;
      this.slowest = Math.max(this.slowest, Math.round(performance.now() - start));
      await new Promise((resolve) => setTimeout(resolve, ECHO_PAUSE_MS));
    }
    return true;
  }
}
