/**
 * Whom the device double lets in, and what it answers its owners. Grants and revocations are truly verified; nothing is
 * kept, counted or logged as `src/control` does it. Whoever comes without grants is an owner: claims are not looked at.
 */
import { type Bytes, equalBytes, toHex } from "../../../src/lib/bytes.ts";
import type { Access, Operation } from "../../../src/protocol/access.ts";
import type { ByeCode, Named } from "../../../src/protocol/control.ts";
import type { GrantEntry, OwnerReply, OwnerRequest, People } from "../../../src/protocol/owner.ts";
import { verifyChain } from "../../../src/trust/chain.ts";
import { readGrant } from "../../../src/trust/grant.ts";
import type { RefusalReason } from "../../../src/trust/handshake_error.ts";
import { keyId } from "../../../src/trust/key_id.ts";
import { verifyRevocation } from "../../../src/trust/revocation.ts";

/** Somebody who may come in. */
export interface Entrant {
  readonly key: Bytes;
  readonly label: string;
  readonly access: Access;
  readonly services: readonly Named[];
  readonly cameras: readonly Named[];
  /** Hexadecimal digits of the invite. */
  readonly grant?: string;
}

/** A live session. */
export interface SessionDouble {
  readonly id: string;
  readonly entrant: Entrant;
  end(code: ByeCode): void;
  peopleChanged(): void;
}

interface Lent {
  readonly label: string;
  readonly token: Bytes;
  revoked: boolean;
  readonly guests: { id: string; label: string; redeemedAt: number }[];
}

const now = () => Math.floor(Date.now() / 1000);

export class HouseholdDouble {
  readonly sessions = new Map<string, SessionDouble>();
  readonly #device: Bytes;
  readonly #services: readonly Named[];
  readonly #cameras: readonly Named[];
  readonly #pairFragment: string;
  readonly #owners = new Map<string, { key: Bytes; label: string; createdAt: number }>();
  readonly #grants = new Map<string, Lent>();
  #statements = 0;

  constructor(
    device: Bytes,
    { services, cameras, pairFragment }: {
      services: readonly Named[];
      cameras: readonly Named[];
      pairFragment: string;
    },
  ) {
    this.#device = device;
    this.#services = services;
    this.#cameras = cameras;
    this.#pairFragment = pairFragment;
  }

  /** Who this is, or why it must stay out. */
  async admit(
    { key, label, grants }: { key: Bytes; label: string; grants: readonly Bytes[] | undefined },
  ): Promise<Entrant | RefusalReason> {
    if (grants !== undefined) return await this.#guest({ key, label, grants });
    const createdAt = now();
    this.#owners.set(toHex(await keyId(key)), { key, label, createdAt });
    const things = { services: this.#services, cameras: this.#cameras };
    return { key, label, access: { role: "owner" }, ...things };
  }

  /** Answers an owner. */
  async answer(request: OwnerRequest, asker: SessionDouble): Promise<OwnerReply> {
    switch (request.kind) {
      case "people":
        return { kind: "people", ...await this.#people(asker) };
      case "pair":
        return { kind: "pair", id: "0".repeat(32), fragment: this.#pairFragment, forSeconds: 600 };
      case "lend":
        this.#grants.set(toHex(readGrant(request.token).id), {
          label: request.label,
          token: request.token,
          revoked: false,
          guests: [],
        });
        break;
      case "revoke":
        await this.#revoke(request.statement, asker.entrant.key);
        break;
      case "kick":
        this.sessions.get(request.session)?.end("kicked");
        break;
      case "unpair":
        break;
      case "audit":
        return { kind: "audit", entries: [] };
      case "audit-hash":
        return { kind: "audit-hash" };
    }
    return { kind: "done" };
  }

  /** Tells every owner's page. */
  changed(): void {
    for (const session of this.sessions.values()) {
      if (session.entrant.access.role === "owner") session.peopleChanged();
    }
  }

  async #guest(
    { key, label, grants }: { key: Bytes; label: string; grants: readonly Bytes[] },
  ): Promise<Entrant | RefusalReason> {
    const roots = (id: Bytes) => {
      const owner = this.#owners.get(toHex(id));
      return owner && { publicKey: owner.key, epoch: 0 };
    };
    const chain = await verifyChain({ chain: grants, audience: this.#device, roots })
      .catch(() => undefined);
    const invite = chain?.links[0];
    if (chain === undefined || invite === undefined || !equalBytes(chain.holder, key)) {
      return "grant_invalid";
    }
    const grant = toHex(invite.id);
    const lent = this.#grants.get(grant);
    if (lent === undefined || lent.revoked) return "grant_revoked";
    if (chain.expires <= now()) return "grant_expired";
    const id = toHex(await keyId(key));
    if (!lent.guests.some((guest) => guest.id === id)) {
      if (lent.guests.length >= (invite.uses ?? 1)) return "grant_used";
      lent.guests.push({ id, label, redeemedAt: now() });
    }
    const remainingSeconds = chain.expires - now();
    const operations: readonly Operation[] = chain.scope.operations;
    const has = (numbers: readonly number[]) => ({ number }: Named) => numbers.includes(number!);
    return {
      key,
      label,
      grant,
      access: { role: "guest", operations, remainingSeconds },
      services: this.#services.filter(has(chain.scope.services)).map(withoutNumber),
      cameras: this.#cameras.filter(has(chain.scope.cameras)).map(withoutNumber),
    };
  }

  async #revoke(statement: Bytes, issuerKey: Bytes): Promise<void> {
    const { target, sequence } = await verifyRevocation(statement, {
      audience: this.#device,
      issuerKey,
    });
    this.#statements = sequence;
    const id = toHex(target.id);
    const lent = this.#grants.get(id);
    if (lent !== undefined) lent.revoked = true;
    for (const session of this.sessions.values()) {
      if (session.entrant.grant === id) session.end("revoked");
    }
  }

  async #people(asker: SessionDouble): Promise<People> {
    const own = toHex(await keyId(asker.entrant.key));
    const owners = [...this.#owners].map(([id, { label, createdAt }]) => ({
      id,
      label,
      createdAt,
      you: id === own,
    }));
    const sessions = await Promise.all([...this.sessions.values()].map(async (session) => ({
      id: session.id,
      holder: toHex(await keyId(session.entrant.key)),
      label: session.entrant.label,
      role: session.entrant.access.role,
      ...(session.entrant.grant === undefined ? {} : { grant: session.entrant.grant }),
      since: now(),
      you: session === asker,
    })));
    const grants = [...this.#grants].map(([id, lent]) => this.#grantEntry(id, lent));
    const issuing = { epoch: 0, sequence: this.#statements + 1, time: now() };
    return { owners, grants, sessions, issuing };
  }

  #grantEntry(id: string, { token, label, guests, revoked }: Lent): GrantEntry {
    const { scope, expires, uses = 1 } = readGrant(token);
    const ids = (things: readonly Named[], numbers: readonly number[]) =>
      things.filter(({ number }) => numbers.includes(number!)).map((thing) => thing.id);
    return {
      id,
      label,
      services: ids(this.#services, scope.services),
      cameras: ids(this.#cameras, scope.cameras),
      operations: scope.operations,
      expires,
      uses,
      state: revoked ? "revoked" : guests.length < uses ? "waiting" : "used",
      guests,
    };
  }
}

function withoutNumber({ id, title }: Named): Named {
  return { id, title };
}
