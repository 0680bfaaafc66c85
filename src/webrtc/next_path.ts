/**
 * One restart of ICE: a second `Connection` of werift beside the one that its peer connection knows, with credentials,
 * sockets and a gate of its own. DTLS, SRTP and SCTP hear nothing of it: `paths.ts` carries their bytes.
 *
 *   searching --a pair is nominated--> found --close--> closed        searching --limit, close--> closed
 */
import { Buffer } from "node:buffer";
import { Candidate, Connection } from "werift";
import { Gathering } from "./ice_gather.ts";
import { closeSockets, connectPromptly, prepareIce, usableCandidate, within } from "./ice_patch.ts";
import type { IceServers } from "./ice_servers.ts";
import type { IceInternals } from "./internals.ts";
import type { SocketParts } from "./paths.ts";
import { SessionSockets } from "./udp.ts";

/** How long a path is looked for, in ms: a session without one ends by then. */
const SEARCH_LIMIT_MS = 30_000;
/** Remote candidates taken in one search: a browser with many networks has some twenty. */
const MAX_REMOTE_CANDIDATES = 64;
/** How long `close` waits for gathering that cannot be stopped, in ms: a STUN limit and some. */
const CLOSE_LIMIT_MS = 1200;

/** Of a candidate: werift wants no name in front, and nominates only what has its own number of a generation, or none. */
const FOREIGN = /^candidate:| generation \d+/g;

/** Name and password of one end. */
export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

export interface NextPathOptions {
  readonly parts: SocketParts;
  /** Whom to ask for addresses, again. */
  readonly servers: IceServers;
  /** The first path, whose settings hold. */
  readonly first: IceInternals;
  /** The connection that the path is for. */
  readonly connection: object;
  readonly remote: IceCredentials;
  /** Takes our candidates. */
  readonly candidate: (candidate: string) => void;
}

/** See the head of this file. */
export class NextPath {
  readonly ice: IceInternals;
  readonly sockets: SessionSockets;
  readonly gathering: Gathering;
  readonly #options: NextPathOptions;
  #gathered: Promise<unknown> = Promise.resolve();
  #candidates = 0;
  #limit: ReturnType<typeof setTimeout> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: NextPathOptions) {
    const { first, parts, servers, connection } = options;
    this.#options = options;
    const settings = { ...first.options } as ConstructorParameters<typeof Connection>[1];
    const ice = this.ice = new Connection(false, settings) as unknown as IceInternals;
    prepareIce(ice);
    this.sockets = new SessionSockets(ice, { ...parts, connection });
    this.gathering = new Gathering(ice, { servers, ...parts });
  }

  get local(): IceCredentials {
    return { ufrag: this.ice.localUsername, pwd: this.ice.localPassword };
  }

  /** Gathers and looks for a pair. Resolves with whether there is one: false after the limit, and after `close`. */
  async search(): Promise<boolean> {
    const { remote, candidate, first } = this.#options;
    const { ice } = this;
    ice.setRemoteParams({ iceLite: false, usernameFragment: remote.ufrag, password: remote.pwd });
    ice.onIceCandidate.subscribe((local) => candidate(`candidate:${local.toSdp()}`));
    ice.onData.subscribe((data: Buffer) => first.onData.execute(data));
    this.#limit = setTimeout(() => void this.close(), SEARCH_LIMIT_MS);
    this.#gathered = ice.gatherCandidates().catch(() => {});
    try {
      await connectPromptly(ice);
    } catch {
      return false;
    } finally {
      clearTimeout(this.#limit);
    }
    return this.#closing === undefined;
  }

  /** Takes a candidate of the browser. What it cannot use is dropped without a word. Never rejects. */
  async add(candidate: string): Promise<void> {
    if (!usableCandidate(candidate) || this.#candidates === MAX_REMOTE_CANDIDATES) return;
    if (this.#closing !== undefined) return;
    this.#candidates++;
    try {
      await this.ice.addRemoteCandidate(Candidate.fromSdp(candidate.replace(FOREIGN, "")));
    } catch {
      // Malformed. It leads nowhere.
    }
  }

  /** Lets go of everything, within a limit. Never rejects. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    clearTimeout(this.#limit);
    this.gathering.stop();
    // Gathering that ends after `close` sets the state back, and then only this ends the search.
    this.ice.remoteCandidatesEnd = true;
    await within(this.ice.close().catch(() => {}), CLOSE_LIMIT_MS);
    await within(this.#gathered.then(() => closeSockets(this.ice)), CLOSE_LIMIT_MS);
  }
}
