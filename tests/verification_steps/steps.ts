/**
 * Every check between a stranger and a session, and the test that notices when it is gone (issue 4, item 1).
 *
 * Not in the table are checks that another one repeats, so that nothing shows when one of the two is gone:
 *
 *     offer.ts, transport_fields.ts    sizes that claim.ts, label.ts and WebCrypto look at again
 *     ed25519.ts                       sizes, canonical points and `zip215: false`: all that passes `isSoundPoint` is of
 *                                      full order, and no point of full order has a second encoding
 *     invite_link.ts, pair_link.ts     the length of the text: only for the cost of what is longer
 *     grant.ts                         that it begins before 2106: it ends before, and begins before it ends
 */
import { AGENT_STEPS } from "./agent_steps.ts";
import { CONTROL_STEPS } from "./control_steps.ts";
import { HANDSHAKE_STEPS } from "./handshake_steps.ts";
import { RENDEZVOUS_STEPS } from "./rendezvous_steps.ts";
import type { Step } from "./step.ts";
import { STORE_STEPS } from "./store_steps.ts";
import { TOKENS_STEPS } from "./tokens_steps.ts";

export const STEPS: readonly Step[] = [
  ...HANDSHAKE_STEPS,
  ...TOKENS_STEPS,
  ...CONTROL_STEPS,
  ...STORE_STEPS,
  ...AGENT_STEPS,
  ...RENDEZVOUS_STEPS,
];

/** Of these the evil rendezvous must find by itself that they are gone. */
const FOUND_BY_HARNESS: readonly (readonly [file: string, what: string])[] = [
  ["src/trust/offer.ts", "binding to device, key and seal"],
  ["src/trust/offer.ts", "its signature"],
  ["src/trust/offer.ts", "its payload's version"],
  ["src/trust/confirmation.ts", "theirs is the signed one"],
  ["src/trust/confirmation.ts", "what it signs"],
  ["src/trust/confirmation.ts", "its signature"],
  ["src/trust/chain.ts", "the device that it is for"],
  ["src/trust/chain.ts", "the signature of a link"],
  ["src/trust/chain.ts", "scope only narrower"],
  ["src/trust/chain.ts", "end only earlier"],
  ["src/trust/chain.ts", "depth only smaller"],
  ["src/trust/strict_cbor.ts", "keys that are known"],
  ["src/control/admission.ts", "whose tag it is"],
  ["src/control/admission.ts", "only who confirmed enters"],
  ["src/control/entrance.ts", "the pairing window"],
  ["src/control/grants.ts", "the holder makes the offer"],
  ["src/control/grants.ts", "revocations"],
  ["src/control/grants.ts", "its ttl"],
  ["src/control/grants.ts", "its begin"],
  ["src/control/grants.ts", "the last look"],
];

const HARNESS_TEST = {
  file: "tests/evil_rendezvous/evil_rendezvous_test.ts",
  name: "no evil rendezvous, network or guest gets a session that should not be",
};

export const HARNESS_STEPS: readonly Step[] = FOUND_BY_HARNESS.map(([file, what]) => {
  const step = STEPS.find((one) => one.file === file && one.what === what);
  if (step === undefined) throw new Error(`Cannot find the check "${what}" of ${file}`);
  return { ...step, test: HARNESS_TEST };
});
