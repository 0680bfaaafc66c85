/** Numbers of the connection to the rendezvous. Tests hand in smaller ones. */

export interface LinkLimits {
  /** Dial, TLS, challenge, signature: the rendezvous itself gives 10 s from the challenge on. */
  readonly registerMs: number;
  /** Answer to a ping on the worst mobile link. */
  readonly pongMs: number;
  /** The same where the path is in doubt: what is dead is to be known, and dialled anew, while somebody waits. */
  readonly doubtMs: number;
  /** Browsers at a time; a rendezvous of ours gives 64, a hostile one must not fill our memory. */
  readonly peers: number;
  /** Bytes that wait for a rendezvous that does not read. */
  readonly waitingBytes: number;
  /** From one list of people to the next, in ms: guests who come and go must not make a stream of it. */
  readonly peopleMs: number;
}

export interface ClientLimits extends LinkLimits {
  /**
   * Silence before a ping. A ping and its pong are about 210 bytes on the wire (TLS, TCP, IPv4; 270 with IPv6), so every
   * 12.5 min makes 0.75 to 0.95 MB in a month (DESIGN 10), lists of servers included: `tests/contract/rendezvous_return_test.ts`.
   */
  readonly pingMs: number;
  /** A network that forgets idle connections sooner is asked twice as often after each loss, down to this. */
  readonly minPingMs: number;
  readonly retryFloorMs: number;
  readonly retryCeilingMs: number;
  /**
   * Most outages are a restart or a router's: in the first minute of one no wait is longer than two seconds, so that people
   * find the device within that of its network's return. Afterwards waits grow: a dead network must not cost a SIM card.
   */
  readonly eagerMs: number;
  readonly eagerCeilingMs: number;
  /** For so long after a change of the network, dials are given up soon (`hurryRegisterMs`) and follow each other fast. */
  readonly hurryMs: number;
  readonly hurryRegisterMs: number;
  readonly hurryCeilingMs: number;
  /** A connection that held for so long counts as a success: the next wait is short again. */
  readonly stableMs: number;
}

export const CLIENT_LIMITS: ClientLimits = {
  registerMs: 20_000,
  pongMs: 10_000,
  doubtMs: 2_000,
  peers: 256,
  waitingBytes: 256 * 1024,
  peopleMs: 1_000,
  pingMs: 12.5 * 60_000,
  minPingMs: 55_000,
  retryFloorMs: 1_000,
  retryCeilingMs: 60_000,
  eagerMs: 60_000,
  eagerCeilingMs: 2_000,
  hurryMs: 30_000,
  hurryRegisterMs: 4_000,
  hurryCeilingMs: 300,
  stableMs: 60_000,
};
