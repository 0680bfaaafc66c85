/**
 * Several things lent by one device to one browser. A session shows one of them; the others wait for the day on which that
 * one ends. Pure.
 */
import { equalBytes } from "../../src/lib/bytes.ts";
import type { Device, Loan } from "./devices.ts";

/** More links than a person is sent; a device's own list is as long as its patience. */
export const MAX_OTHER_LOANS = 8;

/** Another link of the same device was used: what was lent before is kept while it holds. */
export function withLoan(
  device: Pick<Device, "loan" | "otherLoans">,
  loan: Loan,
  now: number,
): Required<Pick<Device, "loan" | "otherLoans">> {
  const others = [device.loan, ...(device.otherLoans ?? [])].filter((other) =>
    other !== undefined && other.expires > now && !isSame(other, loan)
  ) as Loan[];
  return { loan, otherLoans: others.slice(0, MAX_OTHER_LOANS) };
}

/** The loan in use ended: the one that lasts longest takes its place. Undefined if there is none. */
export function nextLoan(
  { otherLoans = [] }: Pick<Device, "otherLoans">,
  now: number,
): { loan: Loan; otherLoans: readonly Loan[] } | undefined {
  const [loan, ...rest] = otherLoans
    .filter(({ expires }) => expires > now)
    .sort((a, b) => b.expires - a.expires);
  return loan && { loan, otherLoans: rest };
}

function isSame(a: Loan, b: Loan): boolean {
  return a.grants.length === b.grants.length &&
    a.grants.every((token, index) => equalBytes(token, b.grants[index]!));
}
