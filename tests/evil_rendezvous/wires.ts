/** The messages of a handshake as whoever carries them sees them: where the fields are, and what can be done to them. */
import { type Bytes, concat, equalBytes } from "../../src/lib/bytes.ts";
import { decodeEnvelope, encodeEnvelope, signEnvelope } from "../../src/trust/cose.ts";
import type { Signer } from "../../src/trust/ed25519.ts";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/trust/strict_cbor.ts";
import type { Dice } from "./dice.ts";

export const WIRE_KINDS = ["presence", "offer", "answer", "candidate", "confirm"] as const;
export type WireKind = (typeof WIRE_KINDS)[number];

/** First and last byte of a field; from the end if negative. */
type Span = readonly [from: number, to: number];

/** PROTOCOL.md, section 3. The fields of a presence are in its payload. */
const FIELDS: Readonly<Record<Exclude<WireKind, "presence">, readonly Span[]>> = {
  offer: [[0, 1], [1, 5], [5, 21], [21, 53], [53, -16], [-16, Infinity]],
  answer: [[0, 1], [1, 33], [33, -16], [-16, Infinity]],
  candidate: [[0, 1], [1, -16], [-16, Infinity]],
  confirm: [[0, 1], [1, 10], [10, -64], [-64, Infinity]],
};

export const TAMPERINGS = [
  "drop",
  "twice",
  "flip",
  "invent field",
  "swap field",
  "cut",
  "prolong",
  "replay",
  "confuse",
  "invent",
] as const;
export type Tampering = (typeof TAMPERINGS)[number];

/** What a carrier without keys of the people has: what passed before, and a key of its own. */
export interface Carrier {
  readonly dice: Dice;
  /** Messages of this kind that passed by, not all of them. */
  remembered(kind: WireKind): readonly Bytes[];
  /** The carrier's own. */
  readonly signer: Signer;
}

/** What arrives instead of one message. */
export async function tampered(
  how: Tampering,
  { kind, bytes }: { readonly kind: WireKind; readonly bytes: Bytes },
  carrier: Carrier,
): Promise<readonly Bytes[]> {
  const { dice } = carrier;
  const others = carrier.remembered(kind).filter((other) => !equalBytes(other, bytes));
  switch (how) {
    case "drop":
      return [];
    case "twice":
      return [bytes, bytes];
    case "cut":
      return [bytes.slice(0, dice.below(bytes.length))];
    case "prolong":
      return [concat(bytes, dice.bytes(1 + dice.below(64)))];
    case "replay":
      return others.length > 0 ? [dice.pick(others)] : [];
    case "confuse":
      return [ofAnotherKind(kind, carrier)];
    case "invent":
      return [dice.bytes(dice.chance(0.5) ? bytes.length : dice.below(300))];
    case "flip":
    case "invent field":
    case "swap field": {
      const other = others.length > 0 ? dice.pick(others) : dice.bytes(bytes.length);
      if (kind === "presence") return [await presenceChanged(how, { bytes, other }, carrier)];
      return [fieldChanged(how, { kind, bytes, other }, dice)];
    }
  }
}

type FieldTampering = "flip" | "invent field" | "swap field";

function fieldChanged(
  how: FieldTampering,
  { kind, bytes, other }: {
    readonly kind: Exclude<WireKind, "presence">;
    readonly bytes: Bytes;
    readonly other: Bytes;
  },
  dice: Dice,
): Bytes {
  const [from, to] = dice.pick(FIELDS[kind]);
  const field = bytes.slice(from, Math.min(to, bytes.length));
  const start = from < 0 ? Math.max(0, bytes.length + from) : Math.min(from, bytes.length);
  const put = (value: Bytes) =>
    concat(bytes.slice(0, start), value, bytes.slice(start + field.length));
  if (how === "flip") return put(flippedOnce(field, dice));
  if (how === "invent field") return put(dice.bytes(field.length));
  return put(other.slice(from, Math.min(to, other.length)));
}

/** Message types are one byte: a message of another kind, as itself or with this kind's byte. */
function ofAnotherKind(kind: WireKind, { dice, remembered }: Carrier): Bytes {
  const other = dice.pick(WIRE_KINDS.filter((candidate) => candidate !== kind));
  const messages = remembered(other);
  const message = messages.length > 0 ? dice.pick(messages) : dice.bytes(64);
  const type = { presence: 0x84, offer: 1, answer: 2, candidate: 3, confirm: 2 }[kind];
  return dice.chance(0.5) ? message : concat(new Uint8Array([type]), message.slice(1));
}

/** A presence is not sealed: each field can be written anew, unsigned or with the carrier's own signature. */
async function presenceChanged(
  how: FieldTampering,
  { bytes, other }: { readonly bytes: Bytes; readonly other: Bytes },
  { dice, signer }: Carrier,
): Promise<Bytes> {
  const { payload, signature } = decodeEnvelope(bytes, 512);
  const fields = new Map(decodeCbor(payload, 512) as Map<number, CborValue>);
  const key = dice.below(8);
  if (key === 7) return encodeEnvelope({ payload, signature: flippedOnce(signature, dice) });
  fields.set(key, changedValue(how, { value: fields.get(key)!, other: valueOf(other, key) }, dice));
  const changed = encodeCbor(fields);
  if (dice.chance(0.5)) return encodeEnvelope({ payload: changed, signature });
  return await signEnvelope("presence", changed, signer);
}

function valueOf(presence: Bytes, key: number): CborValue | undefined {
  try {
    const payload = decodeCbor(decodeEnvelope(presence, 512).payload, 512);
    return payload instanceof Map ? payload.get(key) : undefined;
  } catch {
    return undefined; // no presence was remembered
  }
}

function changedValue(
  how: FieldTampering,
  { value, other }: { readonly value: CborValue; readonly other: CborValue | undefined },
  dice: Dice,
): CborValue {
  if (how === "swap field" && other !== undefined) return other;
  if (typeof value === "number") return how === "flip" ? value ^ 1 : dice.below(2 ** 31);
  const bytes = value as Bytes;
  return how === "flip" ? flippedOnce(bytes, dice) : dice.bytes(bytes.length);
}

/** A copy with one bit changed; of nothing one byte. */
export function flippedOnce(bytes: Uint8Array, dice: Dice): Bytes {
  if (bytes.length === 0) return dice.bytes(1);
  const copy = new Uint8Array(bytes);
  copy[dice.below(copy.length)]! ^= 1 << dice.below(8);
  return copy;
}
