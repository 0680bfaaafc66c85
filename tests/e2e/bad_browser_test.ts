/**
 * A browser that speaks the true handshake and then breaks the protocol, with the real program and real WebRTC between:
 * only its own session ends. Another person's session goes on with its WebSocket and its camera.
 */
import assert from "node:assert/strict";
import { type Bytes, concat, utf8 } from "../../src/lib/bytes.ts";
import { STREAM_CODES } from "../../src/protocol/errors.ts";
import { encodeFrame } from "../../src/protocol/frame.ts";
import { encodeRequestHead } from "../../src/protocol/head.ts";
import { MAX_CONTROL_BYTES, MAX_DATA_BYTES, MAX_STREAMS } from "../../src/protocol/limits.ts";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { HostileService } from "./hostile_service.ts";
import { HostileShell } from "./hostile_shell.ts";
import { logged, NO_STACK, untilLogged } from "./log_lines.ts";
import { runPorthole, startPorthole } from "./processes.ts";
import { Shell } from "./shell.ts";

const lack = await chromiumMissing();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`bad browsers are skipped: ${lack}\n`));
}

// Playwright keeps handles of its own until the process ends: sanitizers would count them.
const OPTIONS = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };

Deno.test("a browser that breaks the protocol ends only its own session", OPTIONS, async (t) => {
  await using service = await HostileService.start();
  await using demo = await startPorthole({
    args: ["demo", "--port", "0", "--json", "--service", `hostile=${service.url}`],
  });
  const { pair, state, device, shell: origin } = demo.ready as Record<string, string>;
  const second = await runPorthole({ args: ["pair", "--state", state!, "--json"] });
  await using browser = await launchChromium();
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const honest = await Shell.open(context, pair!);
  await honest.state("live");
  const frame = await honest.openService("ui");
  await frame.getByText("connected (workshop.v1)").waitFor();
  let lamp = false;
  const undisturbed = async () => {
    lamp = !lamp;
    await frame.locator("#lamp").setChecked(lamp);
    await frame.locator("#lamp-state", { hasText: lamp ? /^on$/ : /^off$/ }).waitFor();
    await honest.moving("test", 2);
  };

  const bad = await browser.newContext();
  await HostileShell.install(bad);
  const paired = await Shell.open(bad, JSON.parse(second.stdout).url);
  await paired.state("live");
  await paired.page.close();

  /** A live session of the hostile browser, and what it is called in the log. */
  const attack = async (act: (hostile: HostileShell, session: unknown) => Promise<void>) => {
    const before = logged(demo, "session.live").length;
    const shell = await Shell.open(bad, `${origin}#/d/${device}`);
    await shell.state("live");
    const line = await untilLogged(demo, "session.live", (_, index) => index === before);
    const hostile = new HostileShell(shell.page);
    await hostile.opened();
    await act(hostile, line.session);
    await shell.page.close();
  };

  await t.step(
    "a service that the device does not have is refused, and the session goes on",
    () =>
      attack(async (hostile) => {
        await hostile.send("bulk", request(1, { service: "nonsense", path: "/" }));
        const { code } = await hostile.frame("reset", 1);
        assert.equal(code, STREAM_CODES.service_unknown);
        await hostile.send("bulk", request(2, { service: "hostile", path: "/fine" }));
        await hostile.frame("end", 2);
      }),
  );

  await t.step(
    "a stream that is reset before its answer frees the service's socket",
    () =>
      attack(async (hostile) => {
        await hostile.send("bulk", request(1, STALL));
        await service.untilOpen("/stall", 1);
        const cancelled = { type: "reset", id: 1, code: STREAM_CODES.cancelled } as const;
        await hostile.send("bulk", encodeFrame(cancelled));
        await service.untilOpen("/stall", 0);
      }),
  );

  await t.step(
    "a stream above the limit is refused, and the session goes on",
    () =>
      attack(async (hostile) => {
        // Without an end of their bodies they wait in the agent, and no service hears of them.
        const open = (id: number) => encodeFrame({ type: "open", id, head: head(STALL) });
        for (let id = 1; id <= MAX_STREAMS + 1; id++) await hostile.send("bulk", open(id));
        const { code } = await hostile.frame("reset", MAX_STREAMS + 1);
        assert.equal(code, STREAM_CODES.limit);
      }),
  );

  for (const { name, channel, message, reason } of ATTACKS) {
    await t.step(`${name} ends that session, and no other`, async () => {
      await attack(async (hostile, session) => {
        await hostile.send("bulk", request(1, STALL));
        await service.untilOpen("/stall", 1);
        await hostile.send(channel, message);
        const over = await untilLogged(demo, "session.over", (line) => line.session === session);
        assert.match(String(over.reason), reason);
        await service.untilOpen("/stall", 0);
      });
      await undisturbed();
    });
  }

  await t.step(
    "the honest session was one, and the program ends without a stack trace",
    async () => {
      assert.equal(await honest.peerConnections(), 1);
      assert.deepEqual(honest.problems, []);
      assert.deepEqual(await demo.stop(), { code: 0, killed: false });
      assert.doesNotMatch(demo.child.stderr, NO_STACK);
    },
  );
});

interface Place {
  readonly service: string;
  readonly path: string;
}

const STALL: Place = { service: "hostile", path: "/stall" };

interface Attack {
  readonly name: string;
  readonly channel: "control" | "bulk";
  readonly message: Bytes;
  /** What the agent's log says of the session's end. */
  readonly reason: RegExp;
}

const CREDIT = encodeFrame({ type: "credit", id: 0, bytes: 0x7fff_ffff });

const ATTACKS: readonly Attack[] = [
  {
    name: "a DATA frame above the limit",
    channel: "bulk",
    message: dataFrame(MAX_DATA_BYTES + 1),
    reason: /^protocol$/,
  },
  {
    name: "garbage on the bulk channel",
    channel: "bulk",
    message: utf8("this is no frame, whatever it is"),
    reason: /^protocol$/,
  },
  {
    name: "credit beyond any window",
    channel: "bulk",
    message: concat(CREDIT, CREDIT),
    reason: /^protocol$/,
  },
  {
    name: "garbage on the control channel",
    channel: "control",
    message: utf8("garbage"),
    reason: /^Cannot/,
  },
  {
    name: "a control message above the limit",
    channel: "control",
    message: new Uint8Array(MAX_CONTROL_BYTES + 1),
    reason: /^Cannot/,
  },
];

/** What `encodeFrame` refuses to write: a DATA frame of any length (frame.ts). */
function dataFrame(payload: number): Bytes {
  const bytes = new Uint8Array(8 + payload);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 3);
  view.setUint16(2, payload);
  view.setUint32(4, 1);
  return bytes;
}

/** A whole request without a body. */
function request(id: number, place: Place): Bytes {
  return concat(
    encodeFrame({ type: "open", id, head: head(place) }),
    encodeFrame({ type: "end", id, total: 0 }),
  );
}

function head(place: Place): Bytes {
  return encodeRequestHead({ kind: "http", method: "GET", headers: [], ...place });
}
