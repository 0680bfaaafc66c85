/**
 * Writes tests/vectors/chains.json anew: a few chains of each kind, with the verdict on which both verifiers agree. Needs Go.
 *
 *     deno run -A tests/second_verifier/keep_vectors.ts
 */
import { asVectors, makeCaseParties, makeKeptCases } from "./cases.ts";
import { buildTheirs, judgeByOurs, judgeByTheirs } from "./verifiers.ts";

const folder = await Deno.makeTempDir();
try {
  const program = `${folder}/verifier`;
  const missing = await buildTheirs(program);
  if (missing !== undefined) throw new Error(`Cannot keep vectors: ${missing}`);
  const parties = await makeCaseParties();
  const vectors = asVectors(parties, await makeKeptCases(parties));
  const ours = await judgeByOurs(vectors);
  const theirs = await judgeByTheirs(program, vectors);
  const lines = vectors.cases.map((one, i) => {
    const accepted = ours[i] === "";
    if (accepted !== (theirs[i] === "")) throw new Error(`Cannot keep "${one.kind}": no agreement`);
    return JSON.stringify({ ...one, accepted });
  });
  const head = `{\n"verifiers": ${JSON.stringify(vectors.verifiers)},\n"cases": [\n`;
  const path = new URL("../vectors/chains.json", import.meta.url);
  await Deno.writeTextFile(path, `${head}${lines.join(",\n")}\n]\n}\n`);
} finally {
  await Deno.remove(folder, { recursive: true });
}
