/** What views need of an owner's console. */
import type { OwnerConsole } from "../owner_console.ts";

export type OwnerSource = Pick<
  OwnerConsole,
  | "people"
  | "log"
  | "history"
  | "lend"
  | "addOwner"
  | "withdraw"
  | "endGrant"
  | "removeOwner"
  | "kick"
  | "readLog"
  | "acceptHistory"
>;
