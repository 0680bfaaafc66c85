/**
 * What gives way when a device has more to say than one control message holds (MAX_CONTROL_BYTES). Pure; for the
 * sender, before it encodes. A page loses names at their end and old things first, and is told how many.
 */
import { encodeCbor } from "./cbor.ts";
import type { ControlMessage, Named } from "./control.ts";
import { MAX_LIST, MAX_TITLE } from "./fields.ts";
import { MAX_CONTROL_BYTES } from "./limits.ts";
import { type GrantEntry, MAX_AUDIT_PAGE, type OwnerReply, type People } from "./owner.ts";

type Hello = ControlMessage & { type: "hello" };

/** Titles lose their ends until 64 services and 64 cameras fit, whatever they are called. */
const TITLE_CHARACTERS = [MAX_TITLE, 64, 32, 16, 8];

/** Bytes for all that is not an entry of a list: names of fields, heads of lists, numbers. About 300 at most. */
const ENVELOPE_BYTES = 512;

/** The greeting with titles as long as they may be. */
export function fitHello(hello: Hello): Hello {
  let fitting = hello;
  for (const characters of TITLE_CHARACTERS) {
    fitting = {
      ...hello,
      services: hello.services.map((service) => shortened(service, characters)),
      cameras: hello.cameras.map((camera) => shortened(camera, characters)),
    };
    if (encodeCbor(fitting).length <= MAX_CONTROL_BYTES) break;
  }
  return fitting;
}

/** A reply that fits: of the log its older entries are left for the next request; of people, see `fitPeople`. */
export function fitReply(reply: OwnerReply): OwnerReply {
  switch (reply.kind) {
    case "people":
      return { kind: "people", ...fitPeople(reply) };
    case "audit":
      return { kind: "audit", entries: new Room().take(reply.entries, MAX_AUDIT_PAGE) };
    case "pair":
    case "done":
    case "audit-hash":
      return reply;
  }
}

/** First come owners, sessions and pairing windows, then grants that still hold, then their guests, then grants that ended. */
function fitPeople(all: People): People {
  const { owners, sessions, windows, grants, issuing } = all;
  const room = new Room();
  const fitting = {
    owners: room.take(owners),
    sessions: room.take(sessions),
    ...(windows && { windows: room.take(windows) }),
    issuing,
  };
  const holding = grants.filter((grant) => !hasEnded(grant));
  const bare = room.take(holding.map((grant) => ({ ...grant, guests: [] })));
  const held = bare.map((grant, at) => ({ ...grant, guests: room.take(holding[at]!.guests) }));
  const ended = room.take(grants.filter(hasEnded), MAX_LIST - held.length);
  const people = { ...fitting, grants: [...held, ...ended] };
  const omitted = (all.omitted ?? 0) + count(all) - count(people);
  return omitted === 0 ? people : { ...people, omitted };
}

function hasEnded({ state }: GrantEntry): boolean {
  return state === "expired" || state === "revoked";
}

function count({ owners, sessions, windows = [], grants }: Omit<People, "issuing">): number {
  const guests = grants.reduce((sum, grant) => sum + grant.guests.length, 0);
  return owners.length + sessions.length + windows.length + grants.length + guests;
}

/** Bytes of one message that entries may still use. */
class Room {
  #left = MAX_CONTROL_BYTES - ENVELOPE_BYTES;

  /** The first entries of a list, as many as fit. */
  take<T>(entries: readonly T[], most: number = MAX_LIST): T[] {
    const taken: T[] = [];
    for (const entry of entries.slice(0, most)) {
      const bytes = encodeCbor(entry).length;
      if (bytes > this.#left) break;
      this.#left -= bytes;
      taken.push(entry);
    }
    return taken;
  }
}

function shortened(named: Named, characters: number): Named {
  const all = [...named.title];
  if (all.length <= characters) return named;
  return { ...named, title: `${all.slice(0, characters - 1).join("")}…` };
}
