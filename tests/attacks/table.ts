/** All attacks. */
import type { Attack } from "./attack.ts";
import * as handshakes from "./handshakes.ts";
import * as packets from "./packets.ts";
import * as strangers from "./strangers.ts";

export const ATTACKS: readonly Attack[] = [
  handshakes.forgedClientCertificate,
  handshakes.forgedServerCertificate,
  handshakes.thirdCertificate,
  strangers.clientHello,
  strangers.alertInClear,
  strangers.unknownRecord,
  strangers.unauthenticatedBinding,
  strangers.forgedRecords,
  packets.badChecksum,
  packets.unknownChunk,
  packets.zeroLengthChunk,
  packets.zeroLengthParameter,
  packets.emptyMessage,
  packets.endlessMessage,
  packets.wideGaps,
];
