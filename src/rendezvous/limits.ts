/**
 * Every number of the rendezvous, with its reason. Strangers reach it before any proof of anything, so each cost that
 * one of them can cause is bounded here. Tests hand in smaller ones.
 */
import { MAX_SIGNAL_LENGTH } from "../protocol/signal.ts";
import type { Rate } from "./token_bucket.ts";

export interface Limits {
  /** WebSocket message, bytes: `ws` closes the socket before it holds more. */
  readonly messageBytes: number;
  /** Device sockets on this node. About 40 KiB each, so 200 MB at most. */
  readonly devices: number;
  /** Browser sockets on this node; counted apart, so that visitors cannot crowd out devices. Another 200 MB. */
  readonly browsers: number;
  /** Device sockets from one address: a site with a thousand boards shares one. */
  readonly devicesPerAddress: number;
  /** Browser sockets from one address: an office or a mobile carrier's NAT shares one. */
  readonly browsersPerAddress: number;
  /** Connect, challenge, signature: seconds on the worst link. */
  readonly registerMs: number;
  /** How long the older of two registrations may take to prove that it lives. */
  readonly clonePingMs: number;
  /** Any other ping: a mobile link may sleep for seconds. */
  readonly pingMs: number;
  /** Devices ping every 12.5 min (`control/rendezvous_client.ts`): two missed, and slack. */
  readonly deviceIdleMs: number;
  /** Browsers stay for minutes, so traffic does not count; proxies close what is silent for 60 s. */
  readonly browserIdleMs: number;
  /** A device that was silent for longer is asked for a sign of life when somebody wants it. */
  readonly deviceFreshMs: number;
  /** Bytes that wait for a slow reader before its socket is closed: 16 of the largest messages. */
  readonly waitingBytes: number;
  /**
   * Browsers that one device may talk to at a time. At 5 strangers a second the oldest has been there for 25 s: a handshake
   * takes two on the worst link. The device itself takes 256.
   */
  readonly peersPerDevice: number;
  /** Devices that one browser may talk to at a time; `find` is not counted. */
  readonly devicesPerBrowser: number;
  /** Messages of one browser: a handshake with its candidates is about 30, all within a second. */
  readonly browserMessages: Rate;
  /** WebSocket pings of one peer: a device pings minutes apart, a browser never. */
  readonly pings: Rate;
  /** Messages of one device: 64 handshakes at once after an outage. */
  readonly deviceMessages: Rate;
  /** Characters that one browser sends to one device: the largest offer has 5,554, each of 20 candidates about 390. */
  readonly peerCharacters: Rate;
  /** Offers with the tag of somebody whom the device knows: as many as it takes itself (`control/passes.ts`). */
  readonly offersOfPerson: Rate;
  /** People of one device whose rates are remembered: 10 KiB. The longest unused is forgotten first. */
  readonly rememberedPeople: number;
  /** Places with one tag that strangers do not get: as many as a person has sessions (`control/places.ts`). */
  readonly placesOfPerson: number;
  /**
   * Offers of all others, and browsers that are new to a device. The device itself takes 20 at once and 1/s of these
   * (`control/admission.ts`, security.md 5) and drops the rest; five times that is what hearing of them may cost it.
   */
  readonly newPeers: Rate;
  /** Of these from one address: those who come seldom first, then oftener (`newcomers.ts`), then nobody. */
  readonly newPeersPerAddress: readonly Rate[];
  /** Pairs of device and address whose rates are remembered: 25 MB. The longest unused is forgotten first. */
  readonly rememberedCallers: number;
  /**
   * Characters that wait for a device beyond which nobody new is let through: its link is slower than what comes. People
   * whom it knows come in up to twice as many.
   */
  readonly deviceBacklog: number;
  /** Signature checks for one address: each costs 2 to 20 ms (security.md 3.1); a whole site may come back at once. */
  readonly registrationsPerAddress: Rate;
  /** Addresses whose rates are remembered; the longest unused is forgotten first. */
  readonly rememberedAddresses: number;
}

export const DEFAULT_LIMITS: Limits = {
  messageBytes: MAX_SIGNAL_LENGTH,
  devices: 5000,
  browsers: 5000,
  devicesPerAddress: 1024,
  browsersPerAddress: 256,
  registerMs: 10_000,
  clonePingMs: 2_000,
  pingMs: 10_000,
  deviceIdleMs: 26 * 60_000,
  browserIdleMs: 55_000,
  deviceFreshMs: 60_000,
  waitingBytes: 16 * MAX_SIGNAL_LENGTH,
  peersPerDevice: 128,
  devicesPerBrowser: 32,
  browserMessages: { burst: 60, perSecond: 2 },
  pings: { burst: 10, perSecond: 0.2 },
  deviceMessages: { burst: 2000, perSecond: 60 },
  peerCharacters: { burst: MAX_SIGNAL_LENGTH, perSecond: 512 },
  offersOfPerson: { burst: 10, perSecond: 0.5 },
  rememberedPeople: 64,
  placesOfPerson: 4,
  newPeers: { burst: 80, perSecond: 5 },
  newPeersPerAddress: [
    { burst: 4, perSecond: 1 / 60 }, // somebody opens a page
    { burst: 12, perSecond: 1 / 60 }, // a household comes back
    { burst: 20, perSecond: 1 / 30 }, // an office
    { burst: 60, perSecond: 1 / 3 }, // a carrier's NAT
  ],
  rememberedCallers: 50_000,
  deviceBacklog: 4 * MAX_SIGNAL_LENGTH,
  registrationsPerAddress: { burst: 1024, perSecond: 10 },
  rememberedAddresses: 10_000,
};

/** HTTP: a request for one of our files has a small head and no body. */
export const HTTP_LIMITS = {
  /** Time for a whole request, so that a slow sender cannot hold a socket. */
  requestTimeoutMs: 15_000,
  headersTimeoutMs: 10_000,
  keepAliveTimeoutMs: 5_000,
  /** How often these are looked at; the runtime's own 30 s would make them meaningless. */
  checkIntervalMs: 2_000,
  /** Names and values together: browsers send about 1 KiB, and what bypassed a service worker may carry cookies. */
  headerBytes: 16 * 1024,
  /** TCP connections that are no WebSocket: a shell is six files. */
  plainConnections: 1000,
} as const;

/** Life of TURN credentials: a session of a day needs no new ones, and stolen ones soon stop. */
export const TURN_LIFETIME_SECONDS = 24 * 60 * 60;
/**
 * Each session's credentials are its own, so that a relay cannot tell which belong to one device; but for sessions that
 * begin within this time: somebody who only knocks must not cost the device's link a list each.
 */
export const SESSION_CREDENTIALS_MS = 60_000;
