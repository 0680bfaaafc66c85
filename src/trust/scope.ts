/**
 * What a grant lends: services and cameras by the device's numbers for them, and what may be done there. Lists name each
 * thing; there is no "all", so that what a device gets later is lent by a later act only.
 *
 *     { 0: [services], 1: [cameras], 2: operations }      operations: view 1, talk 2, operate 4, added up
 */
import { type Operation, OPERATIONS } from "../protocol/access.ts";
import {
  CborError,
  type CborMap,
  type CborValue,
  readList,
  readMap,
  readUint,
} from "./strict_cbor.ts";

export interface Scope {
  /** Numbers of services, ascending, each once. */
  readonly services: readonly number[];
  /** Numbers of cameras, likewise. */
  readonly cameras: readonly number[];
  /** In the order of `OPERATIONS`; at least one. */
  readonly operations: readonly Operation[];
}

/** Services, and as many cameras: more than a household has, and a token of half its limit. */
export const MAX_SCOPE_NUMBERS = 32;
/** Numbers are given once and never again; two bytes in a link. */
export const MAX_SCOPE_NUMBER = 0xffff;

const KEY = { services: 0, cameras: 1, operations: 2 } as const;
const LAYOUT = { required: Object.values(KEY) };
const BIT: Readonly<Record<Operation, number>> = { view: 1, talk: 2, operate: 4 };
const ALL_BITS = OPERATIONS.reduce((sum, operation) => sum | BIT[operation], 0);

/** The scope as a CBOR map. Throws a CborError for one that `readScope` would not take. */
export function encodeScope(scope: Scope): CborMap {
  const map = new Map<number, CborValue>([
    [KEY.services, scope.services],
    [KEY.cameras, scope.cameras],
    [KEY.operations, operationBits(scope.operations)],
  ]);
  readScope(map);
  return map;
}

/** Reads what `encodeScope` writes; throws a CborError for anything else. */
export function readScope(value: CborValue | undefined): Scope {
  const map = readMap(value, LAYOUT);
  const services = readNumbers(map.value(KEY.services));
  const cameras = readNumbers(map.value(KEY.cameras));
  if (services.length + cameras.length === 0) {
    throw new CborError("Cannot read scope: it names nothing");
  }
  return { services, cameras, operations: operationsOf(map.uint(KEY.operations, ALL_BITS)) };
}

/** Whether `outer` has all that `inner` has. */
export function isWithin(inner: Scope, outer: Scope): boolean {
  return isSubset(inner.services, outer.services) && isSubset(inner.cameras, outer.cameras) &&
    isSubset(inner.operations, outer.operations);
}

/** The operations as one number. Throws a CborError for a word that is none: it comes from a page's form. */
export function operationBits(operations: readonly Operation[]): number {
  if (!operations.every((operation) => OPERATIONS.includes(operation))) {
    throw new CborError("Cannot write scope: foreign operations");
  }
  return operations.reduce((sum, operation) => sum | BIT[operation], 0);
}

/** Reads what `operationBits` gives for one or more operations; throws a CborError for anything else. */
export function operationsOf(bits: number): readonly Operation[] {
  if (bits < 1 || bits > ALL_BITS) throw new CborError("Cannot read scope: foreign operations");
  return OPERATIONS.filter((operation) => (bits & BIT[operation]) !== 0);
}

function readNumbers(value: CborValue | undefined): readonly number[] {
  const numbers = readList(value, MAX_SCOPE_NUMBERS).map((entry) =>
    readUint(entry, MAX_SCOPE_NUMBER)
  );
  // Ascending from 1: the last one before the first is 0.
  const isAscending = numbers.every((number, i) => number > (numbers[i - 1] ?? 0));
  if (!isAscending) throw new CborError("Cannot read scope: numbers are not ascending");
  return numbers;
}

function isSubset<Entry>(inner: readonly Entry[], outer: readonly Entry[]): boolean {
  return inner.every((entry) => outer.includes(entry));
}
