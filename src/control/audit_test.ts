import assert from "node:assert/strict";
import { newSigner } from "../trust/test_ends.ts";
import { verify } from "../trust/ed25519.ts";
import { Audit, auditBaseText } from "./audit.ts";
import type { AuditDraft } from "./records.ts";
import { MemoryLog } from "./test_parts.ts";

/** A log whose disk is a list. */
class Desk {
  now = 0;
  readonly lines: AuditDraft[] = [];
  readonly log = new MemoryLog();
  broken: number | undefined;
  isFull = false;
  base:
    | { sequence: number; hash: Uint8Array<ArrayBuffer>; signature?: Uint8Array<ArrayBuffer> }
    | undefined;
  readonly audit: Audit;

  constructor(sign: (message: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>) {
    this.audit = new Audit({
      records: {
        record: (lines) => {
          if (this.isFull) throw new Error("disk full");
          this.lines.push(...lines);
        },
        audit: () => [],
        auditHead: () => ({ sequence: 0, hash: new Uint8Array(32) }),
        auditBase: () => this.base,
        signAuditBase: (sequence, signature) => {
          assert.equal(sequence, this.base?.sequence);
          this.base!.signature = signature;
        },
        brokenAudit: () => this.broken,
      },
      clock: { now: () => 1_800_000_000 + Math.floor(this.now / 1000) },
      monotonic: () => this.now,
      sign,
      log: this.log,
    });
  }
}

async function newDesk(): Promise<Desk> {
  const signer = await newSigner();
  return new Desk((message) => signer.sign(message));
}

const HOLDER = new Uint8Array(8).fill(7);

Deno.test("audit writes what waits together, and has it on disk when it is read", async () => {
  const { audit, lines } = await newDesk();
  audit.note("pairing.opened", {}, "for 600 s");
  audit.person("session.opened", { holder: HOLDER, label: "Phone" }, "owner");
  assert.deepEqual(lines, []);
  audit.page({ limit: 10 });
  assert.deepEqual(lines, [
    { at: 1_800_000_000, event: "pairing.opened", detail: "for 600 s" },
    {
      at: 1_800_000_000,
      event: "session.opened",
      holder: HOLDER,
      label: "Phone",
      detail: "owner",
    },
  ]);
});

Deno.test("audit gives strangers six lines, then one in ten minutes with the number of the others", async () => {
  const desk = await newDesk();
  for (let second = 0; second < 3600; second++) {
    desk.now += 1000;
    for (let i = 0; i < 5; i++) {
      desk.audit.stranger("session.refused", { holder: HOLDER, label: "junk" }, "not_paired");
    }
    desk.audit.flush();
    if (second === 59) assert.equal(desk.lines.length, 6);
  }
  assert.ok(desk.lines.length <= 12, String(desk.lines.length));
  const counted = desk.lines.map(({ detail }) => Number(/^\d+/.exec(detail!)?.[0] ?? 1));
  const sum = counted.reduce((total, count) => total + count, 0);
  assert.ok(sum > 14_000, "what was left out is told");
  assert.equal(desk.lines.at(-1)!.label, undefined, "a sum is no single stranger's");
});

Deno.test("audit lets no person push out the lines of others, and keeps count of a bounded number", async () => {
  const desk = await newDesk();
  for (let i = 0; i < 5000; i++) {
    desk.audit.person("session.opened", { holder: HOLDER, label: "Phone" }, "view ui");
  }
  const other = new Uint8Array(8).fill(9);
  desk.audit.person("session.opened", { holder: other, label: "Other" }, "owner");
  desk.audit.flush();
  assert.equal(desk.lines.length, 101);
  assert.equal(desk.lines.at(-1)!.label, "Other");
  desk.now += 60_000;
  desk.audit.flush();
  assert.equal(desk.lines.at(-1)!.detail, "4900 more like this");
  for (let i = 0; i < 2000; i++) {
    const holder = new Uint8Array([i >> 8, i, 0, 0, 0, 0, 0, 1]);
    desk.audit.person("session.opened", { holder }, "owner");
  }
  desk.audit.flush();
  assert.equal(desk.lines.length, 2102);
});

Deno.test("audit gives all guests of one grant what one person has, and names in a sum what is common", async () => {
  const desk = await newDesk();
  const grant = new Uint8Array(16).fill(1);
  const guests = Array.from({ length: 64 }, (_, i) => new Uint8Array(8).fill(i));
  for (let minute = 0; minute < 24 * 60; minute++) {
    desk.now += 60_000;
    for (const holder of guests) {
      for (let i = 0; i < 2; i++) {
        desk.audit.person("service.used", { holder, label: "Phone", grant });
      }
    }
    desk.audit.flush();
  }
  assert.ok(desk.lines.length <= 100 + 24 * 60, String(desk.lines.length));
  const { event, holder, label, grant: whose } = desk.lines.at(-1)!;
  assert.deepEqual([event, holder, label, whose], ["service.used", undefined, undefined, grant]);
  desk.audit.person("session.opened", { holder: guests[0]! }, "owner");
  desk.audit.flush();
  assert.equal(desk.lines.at(-1)!.detail, "owner", "another grant, or an owner, is not held up");
});

Deno.test("audit cuts details and takes out what could disturb a terminal", async () => {
  const { audit } = await newDesk();
  const { detail } = audit.draft("grant.lent", {}, `\u001b[2J\u2028${"x".repeat(500)}`);
  assert.equal(detail, `[2J${"x".repeat(117)}`);
});

Deno.test("audit says in both logs that the one on disk was tampered with", async () => {
  const desk = await newDesk();
  desk.broken = 12;
  desk.audit.start();
  desk.audit.flush();
  assert.deepEqual(desk.log.events, ["audit.broken"]);
  assert.deepEqual(desk.lines.map(({ event, detail }) => [event, detail]), [
    ["log.broken", "from line 12 on"],
  ]);
});

Deno.test("audit survives a full disk, and says so", async () => {
  const desk = await newDesk();
  desk.isFull = true;
  desk.audit.note("pairing.opened", {});
  desk.audit.flush();
  assert.deepEqual(desk.log.events, ["audit.failed"]);
  desk.isFull = false;
  desk.audit.flush();
  assert.deepEqual(desk.lines, []);
});

Deno.test("audit signs where the log begins, once for each beginning", async () => {
  const signer = await newSigner();
  let signed = 0;
  const desk = new Desk((message) => {
    signed++;
    return signer.sign(message);
  });
  await desk.audit.signBase();
  assert.equal(signed, 0);
  desk.base = { sequence: 1000, hash: new Uint8Array(32).fill(3) };
  await desk.audit.signBase();
  await desk.audit.signBase();
  assert.equal(signed, 1);
  const text = auditBaseText(desk.base);
  assert.equal(await verify(signer.publicKey, text, desk.base.signature!), true);
  const other = auditBaseText({ ...desk.base, sequence: 1001 });
  assert.equal(await verify(signer.publicKey, other, desk.base.signature!), false);
});
