/** Keys of one session, from both ends' X25519 keys of this session and the device's sealing key (security.md 1.4). */
import { type Bytes, concat } from "../lib/bytes.ts";
import { directionKey, type ExchangeKey, sharedSecret } from "./seal.ts";

/** One key per purpose and direction. */
export interface SessionKeys {
  readonly answer: CryptoKey;
  readonly fromBrowser: CryptoKey;
  readonly fromDevice: CryptoKey;
  /** As the two above, for M5: its counters stand in the messages, and count apart. */
  readonly restartFromBrowser: CryptoKey;
  readonly restartFromDevice: CryptoKey;
}

/** The browser's side: `eB` with `eD` and with `K`. */
export async function browserSessionKeys(
  own: ExchangeKey,
  others: { readonly exchangeKey: Bytes; readonly sealingKey: Bytes; readonly offerHash: Bytes },
): Promise<SessionKeys> {
  const secret = concat(
    await sharedSecret(own, others.exchangeKey),
    await sharedSecret(own, others.sealingKey),
  );
  return await drawKeys(secret, others.offerHash);
}

/** The device's side: `eD` and `K` with `eB`. */
export async function deviceSessionKeys(
  own: { readonly exchange: ExchangeKey; readonly sealing: ExchangeKey },
  other: { readonly exchangeKey: Bytes; readonly offerHash: Bytes },
): Promise<SessionKeys> {
  const secret = concat(
    await sharedSecret(own.exchange, other.exchangeKey),
    await sharedSecret(own.sealing, other.exchangeKey),
  );
  return await drawKeys(secret, other.offerHash);
}

async function drawKeys(secret: Bytes, salt: Bytes): Promise<SessionKeys> {
  const draw = (purpose: string) =>
    directionKey(secret, { salt, label: `porthole/session/v1/${purpose}` });
  return {
    answer: await draw("answer"),
    fromBrowser: await draw("from-browser"),
    fromDevice: await draw("from-device"),
    restartFromBrowser: await draw("restart-from-browser"),
    restartFromDevice: await draw("restart-from-device"),
  };
}
