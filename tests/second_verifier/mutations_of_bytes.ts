/** Links that say what they may, written in another way than the one that is allowed, and signed as written. */
import { type Bytes, concat } from "../../src/lib/bytes.ts";
import { KEY } from "../../src/trust/token.ts";
import {
  flipped,
  level,
  type Mutations,
  sound,
  spoilOne,
  spoilToken,
  swapped,
} from "./mutation.ts";
import { type Fields, sorted, writePayload } from "./plan.ts";
import { byteString, FOREIGN, head, lengthened, list, map, uint } from "./raw_cbor.ts";

const GRANT_KEYS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** Not signed again. */
const TOKENS: Mutations = {
  "a bit of a token": (kit) =>
    spoilToken(sound(kit), kit.dice, (token) => flipped(token, kit.dice)),
  "a bit of a signature": (kit) =>
    spoilToken(sound(kit), kit.dice, (token) => flipped(token, kit.dice, token.length - 64)),
  "a token cut short": (kit) =>
    spoilToken(
      sound(kit),
      kit.dice,
      (token) =>
        token.slice(0, kit.dice.pick([0, 1, token.length - 1, kit.dice.below(token.length)])),
    ),
  "bytes behind a token": (kit) =>
    spoilToken(
      level(kit),
      kit.dice,
      (token) => concat(token, kit.dice.bytes(1 + kit.dice.below(3))),
    ),
  "nothing but chance": (kit) =>
    spoilToken(sound(kit), kit.dice, (token) => kit.dice.bytes(token.length)),
};

/** Entries of the payload. */
const KEYS: Mutations = {
  "a key too many": (kit) =>
    writing(kit, (fields) => {
      const key = kit.dice.pick([uint(12), uint(14), uint(15), uint(16), uint(99), uint(65_536)]);
      const value = kit.dice.pick([uint(0), byteString(kit.dice.bytes(8)), list([])]);
      return map([...pairs(fields), [key, value] as const].sort(byKey));
    }),
  "a key that is no unsigned number": (kit) =>
    writing(kit, (fields) => {
      const key = kit.dice.pick([
        uint(-1),
        Uint8Array.of(0x61, 0x78),
        byteString(Uint8Array.of(1)),
        list([]),
        FOREIGN["null"]!,
      ]);
      return map([...pairs(fields), [key, uint(0)] as const].sort(byKey));
    }),
  "a key too few": (kit) =>
    writing(kit, (fields) => {
      fields.delete(kit.dice.pick(GRANT_KEYS));
      return writePayload(fields);
    }),
  "a value of another type": (kit) =>
    writing(kit, (fields) => {
      const key = kit.dice.pick([...fields.keys()]);
      const isNumber = fields.get(key)![0]! >> 5 === 0;
      const others = [Uint8Array.of(0xf5), Uint8Array.of(0x60), list([]), map([])];
      fields.set(
        key,
        kit.dice.pick([...others, isNumber ? byteString(Uint8Array.of(1)) : uint(1)]),
      );
      return writePayload(fields);
    }),
  "a value of a type that is never used": (kit) =>
    writing(kit, (fields) => {
      fields.set(kit.dice.pick([...fields.keys()]), kit.dice.pick(Object.values(FOREIGN)));
      return writePayload(fields);
    }),
};

/** The same values in other bytes (RFC 8949 4.2.1). */
const ENCODINGS: Mutations = {
  "a number or length longer than needed": (kit) =>
    writing(kit, (fields) => {
      const key = kit.dice.pick([...fields.keys()]);
      fields.set(key, lengthened(fields.get(key)!));
      return writePayload(fields);
    }),
  "a long number in the scope": (kit) =>
    writing(kit, (fields) => {
      const long = (value: number) => lengthened(uint(value));
      const number = kit.dice.chance(0.5);
      fields.set(
        KEY.scope,
        map([
          [uint(0), list([number ? long(3) : uint(3), uint(300)])],
          [uint(1), list([])],
          [uint(2), number ? uint(1) : long(1)],
        ]),
      );
      return writePayload(fields);
    }),
  "a long key": (kit) =>
    writing(kit, (fields) => {
      const entries = pairs(fields);
      const i = kit.dice.below(entries.length);
      return map(entries.with(i, [lengthened(entries[i]![0]), entries[i]![1]]));
    }),
  "a long head of the payload": (kit) =>
    writing(kit, (fields) => {
      const width = kit.dice.pick([1, 2, 4, 8] as const);
      return concat(head("map", fields.size, width), ...pairs(fields).flat());
    }),
  "keys out of order": (kit) => writing(kit, (fields) => map(swapped(pairs(fields), kit.dice))),
  "a key twice": (kit) =>
    writing(kit, (fields) => {
      const entries = pairs(fields);
      const [key, value] = kit.dice.pick(entries);
      const other = kit.dice.pick([value, uint(1)]);
      return map([...entries, [key, other] as const].sort(byKey));
    }),
  "a map, list or string without end": (kit) =>
    writing(kit, (fields) => {
      const end = Uint8Array.of(0xff);
      return kit.dice.pick([
        () => concat(Uint8Array.of(0xbf), ...pairs(fields).flat(), end),
        () => {
          const id = fields.get(KEY.id)!;
          fields.set(KEY.id, concat(Uint8Array.of(0x5f), id, end));
          return writePayload(fields);
        },
        () => {
          const services = concat(Uint8Array.of(0x9f), uint(3), end);
          const scope = map([[uint(0), services], [uint(1), list([])], [uint(2), uint(1)]]);
          fields.set(KEY.scope, scope);
          return writePayload(fields);
        },
      ])();
    }),
  "a tag": (kit) =>
    writing(kit, (fields) => {
      const tag = kit.dice.pick([head("tag", 1), head("tag", 18), head("tag", 55_799)]);
      if (kit.dice.chance(0.3)) return concat(tag, writePayload(fields));
      const key = kit.dice.pick([...fields.keys()]);
      fields.set(key, concat(tag, fields.get(key)!));
      return writePayload(fields);
    }),
  "bytes behind the payload": (kit) =>
    writing(kit, (fields) => concat(writePayload(fields), kit.dice.bytes(1 + kit.dice.below(3)))),
  "a payload that is no map": (kit) =>
    writing(kit, (fields) =>
      kit.dice.pick([
        new Uint8Array(),
        uint(1),
        list(pairs(fields).flat()),
        byteString(writePayload(fields)),
        map([]),
      ])),
};

export const MUTATIONS_OF_BYTES: Mutations = { ...TOKENS, ...KEYS, ...ENCODINGS };

/** A chain that would hold, with one payload written like this. */
function writing(kit: Parameters<typeof level>[0], write: (fields: Fields) => Bytes) {
  return spoilOne(level(kit), kit.dice, (draft) => draft.write = write);
}

type Pair = readonly [Bytes, Bytes];

function pairs(fields: Fields): Pair[] {
  return sorted(fields).map(([key, value]) => [uint(key), value]);
}

/** Bytewise, as RFC 8949 4.2.1 sorts keys. */
function byKey([one]: Pair, [other]: Pair): number {
  for (let i = 0; i < Math.min(one.length, other.length); i++) {
    if (one[i] !== other[i]) return one[i]! - other[i]!;
  }
  return one.length - other.length;
}
