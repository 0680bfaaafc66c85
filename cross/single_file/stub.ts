/**
 * The stubs: `stub_ARCH.bin`, 1 KB each, are what Debian 12's gcc makes of `stub.c`. They are kept so that artefacts need no
 * compiler and do not depend on its version; `make test-board` compiles them again and compares. After a change of `stub.c`:
 * `deno run -A cross/single_file/stub.ts`.
 */
import { run } from "../process.ts";

const FOLDER = new URL("./", import.meta.url).pathname;
const COMPILERS = {
  x86_64: { prefix: "x86_64-linux-gnu-", flags: ["-fcf-protection=none"] },
  aarch64: { prefix: "aarch64-linux-gnu-", flags: [] },
} as const;
const FLAGS = [
  ...["-Os", "-ffreestanding", "-fno-builtin", "-fPIE", "-no-pie", "-nostdlib", "-static"],
  ...[
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-tree-loop-distribute-patterns",
  ],
  `-Wl,-T,${FOLDER}stub.ld,--build-id=none,-z,noexecstack`,
];

type StubArch = keyof typeof COMPILERS;

/** The stub that is kept. */
export async function readStub(arch: StubArch): Promise<Uint8Array> {
  return await Deno.readFile(`${FOLDER}stub_${arch}.bin`);
}

/** The stub as a flat block of bytes. Throws an Error if there is no compiler. */
export async function compileStub(arch: StubArch): Promise<Uint8Array> {
  const { prefix, flags } = COMPILERS[arch];
  const folder = await Deno.makeTempDir();
  try {
    const [object, flat] = [`${folder}/stub.elf`, `${folder}/stub.bin`];
    await run(`${prefix}gcc`, [...FLAGS, ...flags, `${FOLDER}stub.c`, "-o", object]);
    await run(`${prefix}objcopy`, ["-O", "binary", object, flat]);
    return await Deno.readFile(flat);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  for (const arch of Object.keys(COMPILERS) as StubArch[]) {
    await Deno.writeFile(`${FOLDER}stub_${arch}.bin`, await compileStub(arch));
  }
}
