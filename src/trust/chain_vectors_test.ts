/** Chains on which a second implementation agrees (`tests/second_verifier`), a few of each kind that is made there. */
import assert from "node:assert/strict";
import vectors from "../../tests/vectors/chains.json" with { type: "json" };
import { equalBytes, fromBase64Url } from "../lib/bytes.ts";
import { ChainError, verifyChain } from "./chain.ts";
import { keyId } from "./key_id.ts";

type DeviceName = keyof typeof vectors.verifiers;

async function accepts(name: DeviceName, texts: readonly string[]): Promise<boolean> {
  const { audience, roots } = vectors.verifiers[name];
  const known = await Promise.all(roots.map(async ({ key, epoch }) => {
    const publicKey = fromBase64Url(key);
    return { publicKey, epoch, id: await keyId(publicKey) };
  }));
  try {
    await verifyChain({
      chain: texts.map(fromBase64Url),
      audience: fromBase64Url(audience),
      roots: (id) => known.find((root) => equalBytes(root.id, id)),
    });
    return true;
  } catch (error) {
    assert.ok(error instanceof ChainError, `another error: ${error}`);
    return false;
  }
}

Deno.test("chain has the kept verdict for each vector, on which two implementations agree", async () => {
  const counts = { accepted: 0, refused: 0 };
  for (const [i, { kind, verifier, chain, accepted }] of vectors.cases.entries()) {
    assert.equal(await accepts(verifier as DeviceName, chain), accepted, `case ${i}, ${kind}`);
    counts[accepted ? "accepted" : "refused"]++;
  }
  assert.ok(counts.accepted >= 20 && counts.refused >= 150, JSON.stringify(counts));
});
