/**
 * The check number: what a person may compare on two screens, to see that this browser and that device talk to each other.
 * It catches a mix-up, as of two links or two people pairing at once. It is no proof: who answers an offer can try a
 * million answers until the six digits fit. What proves is the secret of the link and the signatures.
 */
import { type Bytes, utf8 } from "../lib/bytes.ts";
import { sha256 } from "./digest.ts";

const DOMAIN = utf8("porthole/check/v1");
const DIGITS = 6;

/** Six digits over offer (M1) and answer (M2) as they travelled. */
export async function checkNumber(offer: Bytes, answer: Bytes): Promise<string> {
  const hash = await sha256(DOMAIN, await sha256(offer), await sha256(answer));
  const number = new DataView(hash.buffer).getUint32(0) % 10 ** DIGITS;
  return String(number).padStart(DIGITS, "0");
}
