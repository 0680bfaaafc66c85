/**
 * Where `dtls_patch.ts` takes hold of werift's DTLS transport: each function replaces one member of
 * it (werift-audit.md 9). What is then done is decided there.
 */
import type { Buffer } from "node:buffer";
import type { RTCDtlsTransport } from "werift";
import type { DtlsRole } from "./dtls_handshake.ts";
import type { DirectionKeys } from "./dtls_record.ts";
import {
  checkDtlsSocket,
  type DtlsInternals,
  dtlsInternals,
  type DtlsSocketInternals,
} from "./internals.ts";
import { refuseReplays } from "./srtcp_guard.ts";

/** RFC 7714 14.2 */
const AEAD_AES_128_GCM = 7;

/** The socket of a connection, once werift has made it. */
export type CaughtSocket = () => DtlsSocketInternals | undefined;

/** werift sets `dtls` when ICE has connected, before anything can come in. */
export function catchSocket(
  transport: RTCDtlsTransport,
  caught: (socket: DtlsSocketInternals) => void,
): CaughtSocket {
  let current: DtlsSocketInternals | undefined;
  Object.defineProperty(transport, "dtls", {
    configurable: true,
    get: () => current,
    set: (socket: DtlsSocketInternals) => {
      checkDtlsSocket(socket);
      current = socket;
      caught(socket);
    },
  });
  return () => current;
}

/** All that werift sends goes through `renew` first, each time; what that refuses is not sent. */
export function renewRecords(
  { transport }: DtlsSocketInternals,
  renew: (datagram: Uint8Array) => Buffer,
): void {
  const { send } = transport;
  transport.send = async (datagram) => await send(renew(datagram));
}

/**
 * werift verifies after the handshake, before SRTP and SCTP start (webrtc/src/transport/dtls.ts,
 * `start`); what `accept` throws ends the connection.
 */
export function onVerification(transport: RTCDtlsTransport, accept: () => void): void {
  const internals = dtlsInternals(transport);
  const verify = internals.verifyRemoteCertificateFingerprint.bind(transport);
  internals.verifyRemoteCertificateFingerprint = () => {
    verify();
    accept();
  };
}

/** werift adds those of a new description to the old ones, so that either would do. */
export function replaceFingerprints(transport: RTCDtlsTransport): void {
  const internals: DtlsInternals = dtlsInternals(transport);
  const setRemoteParams = internals.setRemoteParams.bind(transport);
  internals.setRemoteParams = (parameters) => {
    internals.remoteParameters = undefined;
    setRemoteParams(parameters);
  };
}

/**
 * werift's AES-CM leaks a cipher for each packet on Deno (it never calls `final`): GCM is the only
 * profile. An end that cannot do it has its channels, and no pictures.
 */
export function guardSrtp(transport: RTCDtlsTransport, socket: CaughtSocket): void {
  const internals: DtlsInternals = dtlsInternals(transport);
  internals.srtpProfiles = [AEAD_AES_128_GCM];
  const startSrtp = internals.startSrtp.bind(transport);
  internals.startSrtp = () => {
    if (socket()!.srtp.srtpProfile !== AEAD_AES_128_GCM) return;
    startSrtp();
    refuseReplays(transport.srtcp);
  };
}

/** What an end seals with. Copies: werift writes its own counters into its nonces. */
export function keysOf(socket: DtlsSocketInternals, role: DtlsRole): DirectionKeys {
  const cipher = socket.cipher.cipher!;
  const key = role === "server" ? cipher.serverWriteKey : cipher.clientWriteKey;
  const nonce = role === "server" ? cipher.serverNonce : cipher.clientNonce;
  if (cipher.blockAlgorithm !== "aes-128-gcm" || key?.length !== 16 || nonce?.length !== 12) {
    throw new Error("Cannot use werift: its cipher is not AES-128-GCM");
  }
  return { key: Uint8Array.from(key), salt: Uint8Array.from(nonce.subarray(0, 4)) };
}
