/** What the rendezvous must never see, in each form in which somebody might have written it. */
import { type Bytes, toBase32, toBase64Url, toHex, utf8 } from "../../src/lib/bytes.ts";
import type { TransportFields } from "../../src/protocol/sdp.ts";

/** Words that stand in SDP and ICE, whosever they are. */
const WORDS = [
  "candidate:",
  "a=ice-",
  "a=finger",
  "ufrag",
  "typ host",
  "typ srflx",
  "sha-256",
  "IN IP4",
  " udp ",
];

/** One end's transport and candidates, none of which occurs twice. */
export interface EndFields {
  readonly transport: TransportFields;
  readonly candidates: readonly string[];
}

let ends = 0;

/** Fields of an end that nobody else has. */
export function newEndFields(setup: TransportFields["setup"]): EndFields {
  const end = ++ends;
  const fingerprint = crypto.getRandomValues(new Uint8Array(32));
  const ufrag = `uf${end.toString(36).padStart(8, "0")}`;
  const pwd = `pw${end.toString(36).padStart(24, "0")}`;
  const address = (last: number) => `10.${(end >> 8) & 255}.${end & 255}.${last}`;
  const candidates = [1, 2].map((last) =>
    `candidate:${end}${last} 1 udp 2113937151 ${address(last)} ${50000 + (end % 10000)} typ host`
  );
  return { transport: { ufrag, pwd, fingerprint, setup }, candidates };
}

/** The texts and bytes to search for. */
export function secretsOf(ends: readonly EndFields[]): readonly string[] {
  const texts = ends.flatMap(({ transport: { ufrag, pwd }, candidates }) => [
    ufrag,
    pwd,
    ...candidates.flatMap((candidate) => [candidate.slice(10), candidate.split(" ")[4]!]),
  ]);
  const bytes = ends.map(({ transport }) => transport.fingerprint);
  const written = [...texts.map(utf8), ...bytes].flatMap(forms);
  return [...new Set([...WORDS, ...written])];
}

/** As it is, and as hexadecimal digits, base64 and base32 show it, whatever stands before and behind it. */
function forms(bytes: Bytes): string[] {
  const hex = toHex(bytes);
  const base64 = [0, 1, 2].map((shift) => middleOfBase64(bytes, shift));
  return [
    latin1(bytes),
    hex,
    hex.toUpperCase(),
    hex.replace(/../g, "$&:").slice(0, -1).toUpperCase(),
    toBase32(bytes).slice(0, -2),
    ...base64,
    ...base64.map((text) => text.replaceAll("-", "+").replaceAll("_", "/")),
  ];
}

/** What of the text is certain if `shift` bytes stand before. */
function middleOfBase64(bytes: Bytes, shift: number): string {
  const text = toBase64Url(new Uint8Array([...new Uint8Array(shift), ...bytes]));
  return text.slice(shift === 0 ? 0 : shift + 1, -2);
}

/** The first secret that stands in one of the messages. */
export function secretIn(
  messages: readonly Bytes[],
  secrets: readonly string[],
): string | undefined {
  const seen = messages.map(latin1).join("\n");
  return secrets.find((secret) => seen.includes(secret));
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
