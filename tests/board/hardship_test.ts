/**
 * Disks that are full or cannot be written to, as SD cards become: the agent says so in one line, loses nothing that it had,
 * and serves again when there is room. Kills and hanging loops are in `system_test.ts`.
 */
import assert from "node:assert/strict";
import { run } from "../../cross/process.ts";
import { inCheckout } from "../e2e/checkout.ts";
import { NO_STACK } from "../e2e/log_lines.ts";
import { type Porthole, runPorthole, startPorthole } from "../e2e/processes.ts";

const PROGRAM = [inCheckout("dist/porthole-x86_64")];
/** Some times what a new state needs. */
const CARD_MB = 2;
const IS_ROOT = Deno.uid() === 0;
if (!IS_ROOT) Deno.stderr.writeSync(new TextEncoder().encode("disks are skipped: no root\n"));

/** A small disk of its own. */
class Card implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async insert(): Promise<Card> {
    const path = await Deno.makeTempDir({ prefix: "porthole-card-" });
    await run("mount", ["-t", "tmpfs", "-o", `size=${CARD_MB}M`, "tmpfs", path]);
    return new Card(path);
  }

  get state(): string {
    return `${this.path}/state`;
  }

  async remount(how: "ro" | "rw"): Promise<void> {
    await run("mount", ["-o", `remount,${how}`, this.path]);
  }

  /** Takes all that is left. */
  async fill(): Promise<void> {
    await run("sh", [
      "-c",
      `cat /dev/zero > ${this.path}/film 2>/dev/null; test -s ${this.path}/film`,
    ]);
  }

  async makeRoom(): Promise<void> {
    await Deno.remove(`${this.path}/film`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", ["--lazy", this.path]);
    await Deno.remove(this.path);
  }
}

function agent(card: Card): Promise<Porthole> {
  const args = ["run", "--rendezvous", "ws://127.0.0.1:9", "--camera", "c=test:", "--json"];
  return startPorthole({ from: PROGRAM, args: [...args, "--state", card.state] });
}

/** What a start that must fail says. */
async function refusal(card: Card): Promise<string> {
  const args = ["run", "--rendezvous", "ws://127.0.0.1:9", "--camera", "c=test:", "--log", "error"];
  const { code, stderr } = await runPorthole({
    from: PROGRAM,
    args: [...args, "--state", card.state],
  });
  assert.equal(code, 1, stderr);
  assert.doesNotMatch(stderr, NO_STACK);
  const lines = stderr.trim().split("\n").filter((line) => line.startsWith("porthole: "));
  assert.equal(lines.length, 1, stderr);
  return lines[0]!;
}

async function ask(card: Card, ...args: string[]) {
  return await runPorthole({ from: PROGRAM, args: [...args, "--state", card.state, "--json"] });
}

Deno.test({
  name: "on a card that cannot be written to, it says so, and is the same device afterwards",
  ignore: !IS_ROOT,
  fn: async () => {
    await using card = await Card.insert();
    let device: unknown;
    {
      await using first = await agent(card);
      device = first.ready.device;
    }
    await card.remount("ro");
    assert.match(await refusal(card), /^porthole: Cannot .*\/state/);
    await card.remount("rw");
    await using again = await agent(card);
    assert.equal(again.ready.device, device);
  },
});

Deno.test({
  name: "on a full card a new device says so instead of half beginning",
  ignore: !IS_ROOT,
  fn: async () => {
    await using card = await Card.insert();
    await card.fill();
    assert.match(await refusal(card), /^porthole: Cannot .*(?:ENOSPC|space|full)/i);
    await card.makeRoom();
    await using device = await agent(card);
    assert.equal(typeof device.ready.device, "string");
  },
});

Deno.test({
  name:
    "a card that fills up while it runs costs no session and no state: what cannot be kept is refused",
  ignore: !IS_ROOT,
  fn: async () => {
    await using card = await Card.insert();
    let device: unknown;
    {
      await using first = await agent(card);
      device = first.ready.device;
      const lent = await ask(
        card,
        "lend",
        "--scope",
        "camera:c",
        "--for",
        "1d",
        "--label",
        "Before",
      );
      assert.equal(lent.code, 0, lent.stderr);
      await card.fill();
      for (let time = 0; time < 20; time++) {
        const more = await ask(
          card,
          "lend",
          "--scope",
          "camera:c",
          "--for",
          "1d",
          "--label",
          `${time}`,
        );
        if (more.code === 0) continue; // the file of the log had room left
        assert.match(more.stderr, /^porthole: Cannot [^\n]+\n$/);
        assert.doesNotMatch(more.stderr, NO_STACK);
        break;
      }
      assert.equal((await ask(card, "status")).code, 0, "it still answers");
    }
    await card.makeRoom();
    await using again = await agent(card);
    assert.equal(again.ready.device, device);
    const { grants } = JSON.parse((await ask(card, "grants")).stdout);
    assert.ok(
      grants.some(({ label }: { label: string }) => label === "Before"),
      JSON.stringify(grants),
    );
    const after = await ask(card, "lend", "--scope", "camera:c", "--for", "1d", "--label", "After");
    assert.equal(after.code, 0, after.stderr);
  },
});
