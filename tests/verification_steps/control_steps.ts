/** Checks of who comes in, by what right and for how long. */
import { type Step, stepsOf } from "./step.ts";

export const CONTROL_STEPS: readonly Step[] = [
  ...stepsOf("src/control/replay_guard.ts", {
    "src/control/replay_guard_test.ts": [
      [
        "an unknown nonce",
        "if (generation === undefined || generation.seen.has(id)) return false;",
        "if (generation === undefined) return true;\n    if (generation.seen.has(id)) return false;",
        "replay guard takes every offer once and none of another run",
      ],
      [
        "a session id that was seen",
        "generation === undefined || generation.seen.has(id)",
        "generation === undefined",
        "replay guard takes every offer once and none of another run",
      ],
      [
        "a bounded number",
        "if (generation.seen.size >= MAX_SEEN) return false;",
        "",
        "replay guard remembers a bounded number under the previous nonce",
      ],
      [
        "the nonce changes",
        "if (current.seen.size >= SEEN_UNTIL_CHANGE)",
        "if (false)",
        "replay guard changes its nonce when it has seen much, and honours the last one once more",
      ],
    ],
  }),
  ...stepsOf("src/control/admission.ts", {
    "src/control/admission_test.ts": [
      [
        "the right to a session that restarts",
        "if (code !== undefined) return live.end(session, code);",
        "",
        "admission ends a session whose grant has ended instead of restarting it",
      ],
      [
        "the rate",
        "if (!lane.enter(monotonic()))",
        "if (!lane.enter(monotonic()) && false)",
        "admission limits the rate of offers before it opens any",
      ],
      [
        "replays",
        'if (!this.#replays.admit(handshake)) return "stale";',
        "",
        "admission refuses a replayed offer and one from before a restart as stale",
      ],
      [
        "only who is here enters",
        "!this.#places.has(session) || !session.confirmation.done",
        "!session.confirmation.done",
        "admission makes nobody an owner who did not confirm, or whose session has ended",
      ],
      [
        "only who confirmed enters",
        "!this.#places.has(session) || !session.confirmation.done",
        "!this.#places.has(session)",
        "admission makes nobody an owner who did not confirm, or whose session has ended",
      ],
      [
        "a browser that went away",
        "if (this.#routes.get(from.peer) !== from.route) return;",
        "",
        "admission gives no session to a browser that went away while it was judged",
      ],
      [
        "a session id of somebody else",
        'if (this.#isTaken(session.sessionId)) return await this.#turnAway(session, "stale");',
        "",
        "admission takes no second session of one id, whatever nonce it names",
      ],
      [
        "replies to this browser only",
        "if (this.#routes.get(from.peer) === from.route) link.reply(sealed);",
        "link.reply(sealed);",
        "admission gives no session to a browser that went away while it was judged",
      ],
    ],
    "src/control/door_test.ts": [
      [
        "whose tag it is",
        "if (known && known.holder !== toHex(holder))",
        "if (false)",
        "door is shut to whoever bears somebody else's tag, were it an owner",
      ],
      [
        "objections of the handshake",
        "if (handshake.objection) return handshake.objection;",
        "",
        "door is shut to an owner whose browser speaks no version of ours",
      ],
    ],
  }),
  ...stepsOf("src/control/places.ts", {
    "src/control/admission_test.ts": [
      [
        "a bound of pending ones",
        "pending.length >= MAX_PENDING ||",
        "",
        "admission is busy while too many claims are pending, and no longer than they are",
      ],
      [
        "room at the agent",
        " || !this.#options.hasRoom()",
        "",
        "admission is busy when the agent has no room, and says so to the browser",
      ],
      [
        "a bound of one person's pending ones",
        "pending.length >= mostPending",
        "false",
        "admission lets a person's newest offer count, and others' alone",
      ],
    ],
    "src/control/door_test.ts": [
      [
        "a bound of guests",
        '(way.kind === "guest" && alike.length >= MAX_GUEST_SESSIONS) ||',
        "",
        "door takes a bounded number of sessions of one guest, and of all guests",
      ],
      [
        "a bound of one guest",
        "own.length >= MAX_SESSIONS_OF_HOLDER",
        "false",
        "door takes a bounded number of sessions of one guest, and of all guests",
      ],
      [
        "a bound of one grant",
        "ofLink.length >= MAX_PENDING_OF_LINK",
        "false",
        "door lets two keys of one invite wait for their proofs, and no third",
      ],
    ],
    "src/control/places_test.ts": [
      [
        "whoever has most gives way",
        "share(most) > Math.max(1, own.length)",
        "false",
        "places: when the agent is full, whoever has most gives its oldest to an owner",
      ],
      [
        "guests do not make each other go",
        'if (way.kind !== "owner") return { kind: "busy" };',
        "",
        "places: guests never use up what owners need, and no owner its only place",
      ],
    ],
  }),
  ...stepsOf("src/control/admitted_session.ts", {
    "src/control/admission_test.ts": [
      [
        "candidates that are tried",
        "if (this.#tried++ >= MAX_TRIED) return;",
        "",
        "admission stops trying junk that is sent as candidates",
      ],
    ],
    "src/control/door_test.ts": [
      [
        "what it may do, before it confirmed",
        'if (state.kind !== "admitted" && state.entry) return state.entry;',
        'if (state.kind !== "admitted" && state.entry) return state.entry;\n    return { access: { role: "owner" } } as Entry;',
        "door says nothing of what a session may do before it has confirmed",
      ],
    ],
  }),
  ...stepsOf("src/control/entrance.ts", {
    "src/control/admission_test.ts": [
      [
        "an owner's whole key",
        "owner !== undefined && equalBytes(owner.publicKey, publicKey)",
        "owner !== undefined",
        "admission compares the whole key, not the id that it is looked up by",
      ],
      [
        "a claim that was used, after a restart too",
        'if (claim && records.isConsumed(claim.id)) return "claim_used";',
        "",
        "admission knows a claim as used after a restart",
      ],
      [
        "the pairing window",
        "return await pairing.refusal(handshake, monotonic());",
        "return undefined;",
        "admission refuses strangers, and people with claims that are used, expired or wrong",
      ],
      [
        "an owner who was removed meanwhile",
        'throw new HandshakeError("not_paired", "Cannot admit browser: it is no owner any more");',
        "return this.#ownerEntry(candidate);",
        "admission does not let in whoever was removed before the confirmation",
      ],
      [
        "a window that closed meanwhile",
        "if (refusal) throw new HandshakeError(refusal, `Cannot admit browser: ${refusal}`);",
        "",
        "admission makes nobody an owner when the window closed before the confirmation",
      ],
      [
        "a claim that was used meanwhile",
        'if (result === "already_used")',
        "if (false)",
        "admission believes the store when it says that a claim was used meanwhile",
      ],
      [
        "a link that an owner opens",
        "if (!isOwner || this.#isOpen(handshake)) this.#makeOwner(candidate);",
        "if (!isOwner) this.#makeOwner(candidate);",
        "admission uses up the link that an owner opens",
      ],
      [
        "a used claim closes its window",
        "    pairing.consume(claim.id);\n",
        "",
        "admission believes the store when it says that a claim was used meanwhile",
      ],
    ],
    "src/control/guests_test.ts": [
      [
        "a guest's second look",
        "        this.#options.grants.redeem(way.guest);\n",
        "",
        "guests borrow what the board lends, and see that and no more",
      ],
      [
        "only owners attest the time",
        "return new GuestEntry(",
        "this.#options.clock.attest(handshake.time);\n        return new GuestEntry(",
        "nobody but an owner tells a board the time",
      ],
    ],
  }),
  ...stepsOf("src/control/owner_entry.ts", {
    "src/control/guests_test.ts": [
      [
        "an owner's session ends with the owner",
        'this.#entered.isOwner() ? undefined : "removed"',
        "undefined",
        "guests of a removed owner go too, and do not come back when it pairs again",
      ],
    ],
  }),
  ...stepsOf("src/control/guest_entry.ts", {
    "src/control/guests_test.ts": [
      [
        "a guest's session ends with its grant",
        'return standing === "ok" ? undefined : standing;',
        "return undefined;",
        "guests may pass on what their grant allows, under its uses and its end",
      ],
    ],
  }),
  ...stepsOf("src/control/grants.ts", {
    "src/control/guests_test.ts": [
      [
        "the chain",
        "return await verifyChain({ chain: tokens, audience, roots: (id) => this.#root(id) });",
        "const links = tokens.map((token) => ({ ...readGrant(token), token }));\n      return { ...links.at(-1)!, links };",
        "guests may not come with another browser's grants, nor with forged or foreign ones",
      ],
      [
        "the holder makes the offer",
        'if (!equalBytes(chain.holder, who.publicKey)) return "grant_invalid";',
        "",
        "guests may not come with another browser's grants, nor with forged or foreign ones",
      ],
      [
        "no links of guests",
        'if (below.some(({ kind }) => kind === "invite")) return "grant_invalid";',
        "",
        "guests may pass on what they were lent, but not lend it by links of their own",
      ],
      [
        "its standing",
        'if (standing !== "ok") return standing === "expired" ? "grant_expired" : "grant_revoked";',
        "",
        "guests' sessions end within two seconds of their grant's end, and their page is told why",
      ],
      [
        "a known guest's whole key",
        'if (known && !equalBytes(known.publicKey, guest.publicKey)) return "grant_invalid";',
        "",
        "guests are compared by the whole key, not by the id that they are looked up by",
      ],
      [
        "an unknown time",
        'if (at === undefined) return "time_unknown";',
        "if (at === undefined) return undefined;",
        "with a clock set to 2000 or 2099 owners enter, expired guests stay out, new ones are told of the time",
      ],
      [
        "its begin",
        "guest.chain.notBefore > clock.now() + NOT_BEFORE_SLACK_SECONDS",
        "false",
        "guests who are late find the grant over, and those who are early that it has not begun",
      ],
      [
        "its uses",
        'return known || records.guests(id).length < uses ? undefined : "grant_used";',
        "return undefined;",
        "guests beyond the uses of an invite are told so",
      ],
      [
        "the lender",
        'root === undefined || first!.epoch !== root.epoch) return "removed"',
        'root === undefined) return "removed"',
        "guests whose lender was removed and paired again meanwhile do not come in",
      ],
      [
        "revocations",
        'if (guest.chain.links.some(({ id }) => this.#options.records.isRevoked(id))) return "revoked";',
        "",
        "guests may pass on what their grant allows, under its uses and its end",
      ],
      [
        "what is left of it",
        'return this.remaining(guest) > 0 ? "ok" : "expired";',
        'return "ok";',
        "guests' sessions end within two seconds of their grant's end, and their page is told why",
      ],
      [
        "its ttl",
        "guest.chain.ttl - (known ? this.#ttl.spent(known) : 0)",
        "Infinity",
        "guests may pass on what their grant allows, under its uses and its end",
      ],
      [
        "its end",
        "Math.max(0, Math.min(ofTtl, expires - clock.now()))",
        "Math.max(0, ofTtl)",
        "guests who are late find the grant over, and those who are early that it has not begun",
      ],
      [
        "its end without a clock",
        "return expires > clock.lowerBound() ? Math.max(0, ofTtl) : 0;",
        "return Math.max(0, ofTtl);",
        "with a clock set to 2000 or 2099 owners enter, expired guests stay out, new ones are told of the time",
      ],
      [
        "the last look",
        "if (refusal) throw new HandshakeError(refusal, `Cannot admit guest: ${refusal}`);",
        "",
        "guests whose grant is revoked between offer and confirmation do not come in",
      ],
      [
        "the store's word: used up",
        'throw new HandshakeError("grant_used", "Cannot admit guest: others were faster");',
        "return;",
        "guests are believed to the store's last word",
      ],
      [
        "the store's word: full",
        'throw new HandshakeError("busy", "Cannot admit guest: too many grants are kept");',
        "return;",
        "guests are believed to the store's last word",
      ],
      [
        "the ttl is kept",
        "    this.#ttl.keep(counting);\n",
        "",
        "a guest's ttl survives restarts: a killed one gives a minute back, a stopped one nothing",
      ],
      [
        "the device is a root by its own key id",
        "equalBytes(keyId, device.keyId) ? device : records.owner(keyId)",
        "device",
        "guests borrow what an owner lends, registered or not",
      ],
      [
        "how long a grant of this run holds",
        'return isPast ? "grant_expired" : undefined;',
        "return undefined;",
        "without a clock a grant made in this run lets guests in, for as long as it was made for",
      ],
    ],
  }),
  ...stepsOf("src/control/clock.ts", {
    "src/control/clock_test.ts": [
      [
        "a system that is behind",
        "time >= this.#earliest && ",
        "true && ",
        "clock does not believe a system that is back in 2000 or in 2099, whoever vouches for it",
      ],
      [
        "a system that is ahead",
        "time <= this.lowerBound() + MAX_AHEAD_SECONDS",
        "true",
        "clock does not believe a system that is back in 2000 or in 2099, whoever vouches for it",
      ],
      [
        "whether it is right at all",
        'if (mode === "system") return true;',
        "return true;",
        "clock takes the system's time once a time service keeps it right, and looks every 10 s",
      ],
      [
        "an owner's word only without a better one",
        'if (this.#knows() === "synchronised" || !this.#isPossible(time)) return;',
        "if (!this.#isPossible(time)) return;",
        "clock passes over an owner's time that is impossible, and any where the time is known",
      ],
      [
        "an owner's word that cannot be",
        'if (this.#knows() === "synchronised" || !this.#isPossible(time)) return;',
        'if (this.#knows() === "synchronised") return;',
        "clock passes over an owner's time that is impossible, and any where the time is known",
      ],
      [
        "what was kept",
        "const time = Math.max(WRITTEN_AT, options.builtAt ?? 0, this.#kept)",
        "const time = Math.max(WRITTEN_AT, options.builtAt ?? 0)",
        "clock never goes below build time and what was kept, and runs on from there",
      ],
      [
        "how much owners may add",
        "time: Math.min(time, most)",
        "time",
        "clock keeps no more of what owners say than 400 days, however many say it",
      ],
      [
        "who of two owners is right",
        "time < said - MAX_BEHIND_SECONDS && time >= this.lowerBound() - MAX_BEHIND_SECONDS",
        "time < said - MAX_BEHIND_SECONDS",
        "clock believes a later owner who says that the one before was years ahead",
      ],
      [
        "its end",
        "Math.floor(mark.time + passed * SLOWEST_RATE), LATEST)",
        "Math.floor(mark.time + passed * SLOWEST_RATE), Infinity)",
        "clock ends early enough for grants that are made at the end",
      ],
      [
        "when it was built",
        "const time = Math.max(WRITTEN_AT, options.builtAt ?? 0, this.#kept)",
        "const time = Math.max(WRITTEN_AT, this.#kept)",
        "clock never goes below build time and what was kept, and runs on from there",
      ],
    ],
    "src/control/clock_bound_test.ts": [
      [
        "the bound only rises",
        "if (mark.time > this.lowerBound()) this.#bound",
        "this.#bound",
        "clock's lower bound does not follow a system that is set back a little",
      ],
    ],
  }),
  ...stepsOf("src/control/ttl_meter.ts", {
    "src/control/guests_test.ts": [
      [
        "what was written",
        "return guest.spentSeconds + this.#unwritten(guest);",
        "return this.#unwritten(guest);",
        "a guest's ttl begins when the guest comes",
      ],
      [
        "what is not written yet",
        "return guest.spentSeconds + this.#unwritten(guest);",
        "return guest.spentSeconds;",
        "without a clock a grant made in this run lets guests in, for as long as it was made for",
      ],
      [
        "that it is written",
        "    this.#options.records.spend(spent);",
        "",
        "a guest's ttl begins when the guest comes",
      ],
    ],
  }),
  ...stepsOf("src/control/pairing.ts", {
    "src/control/pairing_test.ts": [
      [
        "a claim",
        'if (claim === undefined) return "not_paired";',
        "if (claim === undefined) return undefined;",
        "pairing refuses without a claim, in another run, and for a window it never opened",
      ],
      [
        "an open window",
        "if (before !== undefined) return before;",
        "",
        "pairing lets whoever has the link in, once",
      ],
      [
        "the proof",
        "|| !await offer.provesClaim(window.key)",
        "",
        "pairing closes a window after too many failures and leaves the others open",
      ],
      [
        "the claim itself",
        "      await verifyClaim(claim.token, this.#device.publicKey);\n",
        "",
        "pairing refuses the secret with a claim that was changed or made by another",
      ],
      [
        "a window that closed while it was tested",
        "return this.refusalOf(claim.id, now); // it may",
        "return undefined; // it may",
        "pairing notices a window that was used or closed while the proof was tested",
      ],
      [
        "failures",
        'failures >= MAX_FAILURES ? { kind: "closed" } : { ...window, failures }',
        "{ ...window, failures }",
        "pairing closes a window after too many failures and leaves the others open",
      ],
      [
        "time",
        'if (window?.kind !== "open" || now < window.expiresAt) return window;',
        "return window;",
        "pairing closes a window to the millisecond",
      ],
      [
        "how long",
        "if (!(forMs >= MIN_WINDOW_MS && forMs <= MAX_WINDOW_MS))",
        "if (false)",
        "pairing bounds how long and how many windows are open",
      ],
      [
        "how many",
        "if (open.length >= most) throw",
        "if (false) throw",
        "pairing bounds how long and how many windows are open",
      ],
      [
        "how many of one owner",
        "own.length >= MAX_WINDOWS_OF_OWNER",
        "false",
        "pairing gives one owner two windows, owners three, and somebody at the device the last",
      ],
    ],
    "src/control/door_test.ts": [
      [
        "this run",
        'if (!equalBytes(claim.boot, this.#boot)) return "claim_expired";',
        "",
        "door takes no claim of another run, though its window has the same id",
      ],
    ],
  }),
  ...stepsOf("src/control/household.ts", {
    "src/control/owner_desk_test.ts": [
      [
        "the last owner stays",
        "if (records.owners().length === 1)",
        "if (false)",
        "owners remove each other and themselves, but never the last one",
      ],
      [
        "old statements",
        "if (statement && !records.takeStatement(statement.issuer, statement.sequence))",
        "if (false)",
        "owners end things by statements: of an owner, for this device, each number once",
      ],
      [
        "an owner who was removed meanwhile",
        "if (by && !records.owner(by.keyId))",
        "if (false)",
        "an owner who is removed while its pairing link is made leaves no window open",
      ],
      [
        "windows of a removed owner",
        "    pairing.closeBy(toHex(keyId));\n",
        "",
        "a removed owner leaves no window open behind it",
      ],
      [
        "sessions end at once",
        "    this.#options.live.look();\n",
        "",
        "owners remove each other and themselves, but never the last one",
      ],
    ],
  }),
  ...stepsOf("src/control/owner_desk.ts", {
    "src/control/owner_desk_test.ts": [
      [
        "that it still is an owner",
        "    const owner = this.#owner();\n",
        "    const owner = { keyId: this.#keyId } as OwnerRecord;\n",
        "owners read who is let in, by what, and who is here",
      ],
      [
        "who signed a statement",
        'if (signer === undefined) throw new TypeError("Cannot revoke: signed by nobody known");',
        "if (signer === undefined) return { by: this.#owner(), revocation: readRevocation(bytes) };",
        "owners end things by statements: of an owner, for this device, each number once",
      ],
      [
        "a statement's signature",
        "const revocation = await verifyRevocation(bytes, expected);",
        "void expected;\n      const revocation = readRevocation(bytes);",
        "owners end things by statements: of an owner, for this device, each number once",
      ],
      [
        "a statement taken once",
        'if (household.revokeGrant(target.id, how) === "stale_statement")',
        "household.revokeGrant(target.id, how);\n    if (false)",
        "owners end things by statements: of an owner, for this device, each number once",
      ],
    ],
  }),
  ...stepsOf("src/control/lending.ts", {
    "src/control/door_test.ts": [
      [
        "an invite",
        'grant.kind === "invite" && grant.parent === undefined &&',
        "grant.parent === undefined &&",
        "owners register no grant of a guest, and no invite below another grant",
      ],
      [
        "without a parent",
        'grant.kind === "invite" && grant.parent === undefined &&',
        'grant.kind === "invite" &&',
        "owners register no grant of a guest, and no invite below another grant",
      ],
    ],
    "src/control/owner_desk_test.ts": [
      [
        "of this owner",
        "equalBytes(grant.issuer, owner.keyId) &&",
        "true &&",
        "owners register only what they signed themselves, for this device, and what still holds",
      ],
      [
        "for this device",
        "equalBytes(grant.audience, this.#options.device.id);",
        "true;",
        "owners register only what they signed themselves, for this device, and what still holds",
      ],
      [
        "its signature",
        '      await verifyEnvelope("invite", envelope, owner.publicKey);\n',
        "",
        "owners register only what they signed themselves, for this device, and what still holds",
      ],
      [
        "its end",
        " || grant.expires <= clock.lowerBound()",
        "",
        "owners register only what they signed themselves, for this device, and what still holds",
      ],
    ],
    "src/control/guests_test.ts": [
      [
        "its epoch",
        "grant.epoch !== records.epoch(owner.keyId) || ",
        "",
        "guests of a removed owner go too, and do not come back when it pairs again",
      ],
    ],
  }),
  ...stepsOf("src/control/live_sessions.ts", {
    "src/control/guests_test.ts": [
      [
        "a guest of whom nobody can tell",
        'return session.role === "guest" ? "closed" : undefined;',
        "return undefined;",
        "a guest of whom nobody can tell whether it may stay goes, and owners stay",
      ],
      [
        "who may not stay",
        "if (code !== undefined) this.end(session, code);",
        "",
        "guests may pass on what their grant allows, under its uses and its end",
      ],
    ],
  }),
  ...stepsOf("src/control/things.ts", {
    "src/control/guests_test.ts": [
      [
        "only what is lent",
        ".filter((id) => numbers.includes(this.numberOf(kind, id)))",
        ".filter((id) => numbers.length > 0 || this.numberOf(kind, id) > 0)",
        "guests borrow what the board lends, and see that and no more",
      ],
    ],
  }),
];
