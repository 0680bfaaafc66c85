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
   * 12 min makes 0.8 to 1.0 MB in a month (DESIGN 10).
   */
  readonly pingMs: number;
  /** A network that forgets idle connections sooner is asked twice as often after each loss, down to this. */
  readonly minPingMs: number;
  readonly retryFloorMs: number;
  readonly retryCeilingMs: number;
  /** For so long after a change of the network, dials are given up soon (`hurryRegisterMs`) and follow each other fast. */
  readonly hurryMs: number;
  readonly hurryRegisterMs: number;
  readonly hurryPauseMs: number;
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
  pingMs: 12 * 60_000,
  minPingMs: 55_000,
  retryFloorMs: 1_000,
  retryCeilingMs: 60_000,
  hurryMs: 30_000,
  hurryRegisterMs: 4_000,
  hurryPauseMs: 300,
  stableMs: 60_000,
};
