/**
 * M4 in the hands of somebody on the network who has broken DTLS: it chooses which certificates the ends are shown, and
 * carries the messages of the channel as it likes. What it cannot do is sign.
 */
import { type Bytes, equalBytes } from "../../src/lib/bytes.ts";
import type { Confirmation } from "../../src/trust/handshake.ts";
import type { EvilRendezvous } from "./rendezvous.ts";
import { checkRight, type Hosted, isOneOf, refusable, Violation, type Visitor } from "./visit.ts";

/** Messages that are carried at most: four are honest. */
const MAX_CARRIED = 12;

export interface End {
  readonly name: "device" | "browser";
  readonly confirmation: Confirmation;
  readonly said: Bytes[];
  /** Of the other's M4 messages the one that convinced it. */
  convincedBy: Bytes | undefined;
}

export interface Confirmed {
  readonly device: boolean;
  readonly visitor: boolean;
}

/** `own` is whose session it is; `browser` who is connected with it, often the same. */
export async function exchangeConfirmations(
  { hosted, browser, own }: {
    readonly hosted: Hosted;
    readonly browser: Visitor;
    readonly own: Visitor | undefined;
  },
  { evil, others }: { readonly evil: EvilRendezvous; readonly others: readonly Bytes[] },
): Promise<Confirmed> {
  const fingerprints = {
    device: hosted.fields.transport.fingerprint,
    browser: browser.fields.transport.fingerprint,
  };
  const device = endOf("device", hosted.admission.confirmation, hosted.said);
  const visitor = endOf("browser", browser.handshake!.confirmation(), browser.said);
  const seen = {
    device: { local: fingerprints.device, remote: evil.shown(fingerprints.browser, others) },
    browser: { local: fingerprints.browser, remote: evil.shown(fingerprints.device, others) },
  };
  await carry([device, visitor], { seen, evil });
  const entered = device.convincedBy !== undefined && await hosted.confirmed();
  if (entered) {
    const isTrue = browser === own && equalBytes(seen.device.remote, fingerprints.browser) &&
      isOneOf(device.convincedBy!, browser.said);
    if (!isTrue || !own) throw new Violation("a device let in whom nobody vouched for");
    checkRight(hosted, own.options.right);
  }
  if (visitor.convincedBy) {
    const isTrue = browser === own && equalBytes(seen.browser.remote, fingerprints.device) &&
      isOneOf(visitor.convincedBy, hosted.said);
    if (!isTrue) throw new Violation("a browser believes what no device said");
  }
  return { device: entered, visitor: visitor.convincedBy !== undefined };
}

export function endOf(name: End["name"], confirmation: Confirmation, said: Bytes[]): End {
  return { name, confirmation, said, convincedBy: undefined };
}

interface Carried {
  readonly to: End;
  readonly from: End;
  readonly message: Bytes;
}

/** Brings the messages of both ends to each other until there are none. */
export async function carry(
  [device, browser]: readonly [End, End],
  { seen, evil }: {
    readonly seen: Record<End["name"], { local: Bytes; remote: Bytes }>;
    readonly evil: EvilRendezvous;
  },
): Promise<void> {
  const under: Carried[] = [];
  const say = async (from: End, message: Bytes | undefined) => {
    if (message === undefined) return;
    from.said.push(message);
    for (const arriving of await evil.pass("confirm", message)) {
      const other = from === device ? browser : device;
      under.push({ from, to: evil.addressed(other, [device, browser]), message: arriving });
    }
  };
  for (const end of [device, browser]) {
    await say(end, await refusable(() => end.confirmation.start(seen[end.name])));
  }
  for (let carried = 0; carried < MAX_CARRIED && under.length > 0; carried++) {
    const { to, message } = under.splice(
      isInOrder(evil) ? 0 : evil.dice.below(under.length),
      1,
    )[0]!;
    const was = to.confirmation.done;
    await say(to, await refusable(() => to.confirmation.receive(message)));
    if (!was && to.confirmation.done) to.convincedBy = message;
  }
}

/** A data channel keeps the order; whoever has broken it need not. */
function isInOrder(evil: EvilRendezvous): boolean {
  return evil.addressed(true, [true, false]);
}
