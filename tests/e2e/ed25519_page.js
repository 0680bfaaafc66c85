// The page of the predicate's test: our verifier, bundled for the browser, and the browser's own beside it.
import { fromHex } from "../../src/lib/bytes.ts";
import { verify } from "../../src/trust/ed25519.ts";

/** Ours and the browser's verdict on each [key, message, signature] in hexadecimal digits. */
globalThis.verdicts = async (vectors) => {
  const verdicts = [];
  for (const vector of vectors) {
    const [key, message, signature] = vector.map(fromHex);
    verdicts.push([await verify(key, message, signature), await native(key, message, signature)]);
  }
  return verdicts;
};

async function native(key, message, signature) {
  try {
    const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", imported, signature, message);
  } catch {
    return false;
  }
}
