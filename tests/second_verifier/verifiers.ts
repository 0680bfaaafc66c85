/** Both verifiers behind one form: a verdict for each case, "" for a chain that holds, else the rule that it breaks. */
import { type Bytes, equalBytes, fromBase64Url } from "../../src/lib/bytes.ts";
import { ChainError, type ChainRoot, verifyChain } from "../../src/trust/chain.ts";
import { keyId } from "../../src/trust/key_id.ts";
import type { Vectors } from "./cases.ts";

const SOURCE = new URL("go/", import.meta.url);
/** The compiler fetches modules the first time. */
const BUILD_LIMIT_MS = 10 * 60_000;
const RUN_LIMIT_MS = 5 * 60_000;

/** The verdicts of `src/trust/chain.ts`. */
export async function judgeByOurs(vectors: Vectors): Promise<readonly string[]> {
  const devices = new Map<
    string,
    { audience: Bytes; roots: (id: Bytes) => ChainRoot | undefined }
  >();
  for (const [name, { audience, roots }] of Object.entries(vectors.verifiers)) {
    const known = await Promise.all(roots.map(async ({ key, epoch }) => {
      const publicKey = fromBase64Url(key);
      return { publicKey, epoch, id: await keyId(publicKey) };
    }));
    devices.set(name, {
      audience: fromBase64Url(audience),
      roots: (id) => known.find((root) => equalBytes(root.id, id)),
    });
  }
  const verdicts: string[] = [];
  for (const { verifier, chain } of vectors.cases) {
    try {
      await verifyChain({ chain: chain.map(fromBase64Url), ...devices.get(verifier)! });
      verdicts.push("");
    } catch (error) {
      if (!(error instanceof ChainError)) throw error; // nothing else may come out of it
      verdicts.push(error.message.replace("Cannot accept grant: ", ""));
    }
  }
  return verdicts;
}

/**
 * Builds the verifier in Go. Says why this machine cannot; undefined if it was built. Throws if the source is at fault.
 */
export async function buildTheirs(program: string): Promise<string | undefined> {
  try {
    const modules = await go("mod", "download");
    if (modules !== undefined) return `go mod download failed: ${modules}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "Go is not installed";
    throw error;
  }
  const fault = await go("build", "-trimpath", "-o", program, ".");
  if (fault !== undefined) throw new Error(`Cannot build the verifier in Go: ${fault}`);
  return undefined;
}

/** What Go complains of, if it does. */
async function go(...args: readonly string[]): Promise<string | undefined> {
  const { code, stderr } = await new Deno.Command("go", {
    args: [...args],
    cwd: SOURCE,
    stdout: "null",
    stderr: "piped",
    signal: AbortSignal.timeout(BUILD_LIMIT_MS),
  }).output();
  return code === 0 ? undefined : new TextDecoder().decode(stderr).trim();
}

/** The verdicts of the verifier in Go. */
export async function judgeByTheirs(program: string, vectors: Vectors): Promise<readonly string[]> {
  const child = new Deno.Command(program, {
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(RUN_LIMIT_MS),
  }).spawn();
  const given = new Blob([JSON.stringify(vectors)]).stream().pipeTo(child.stdin);
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), given]);
  const text = new TextDecoder();
  if (code !== 0) throw new Error(`Cannot judge by Go: ${text.decode(stderr).trim()}`);
  const verdicts: unknown = JSON.parse(text.decode(stdout));
  if (!isVerdicts(verdicts, vectors.cases.length)) {
    throw new Error("Cannot judge by Go: other verdicts than cases");
  }
  return verdicts;
}

function isVerdicts(value: unknown, count: number): value is readonly string[] {
  return Array.isArray(value) && value.length === count &&
    value.every((verdict) => typeof verdict === "string");
}
