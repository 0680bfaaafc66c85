/**
 * The artefacts as boards run them, on this machine: natively, or under qemu-user with Debian's libraries of the board. qemu
 * shows that a program runs, with which size of pages; of speed and memory on a board it says nothing.
 */
import { sysroot } from "../../cross/sysroot.ts";
import { inCheckout } from "../e2e/checkout.ts";
import type { CommandLine } from "../e2e/processes.ts";

export interface Board {
  readonly name: string;
  readonly command: CommandLine;
  /** What `version --json` says there. */
  readonly version: Readonly<Record<string, unknown>>;
}

/** Sizes of pages: most boards, Raspberry Pi 5, servers. */
const PAGE_SIZES = [4096, 16384, 65536] as const;

/** How long anything may take under emulation on a loaded machine. */
export const EMULATED_LIMIT_MS = 240_000;

/** All that serve. */
export async function boards(): Promise<Board[]> {
  const arm64 = await sysroot("arm64");
  const armhf = await sysroot("armhf-node");
  const deno = { packaged: "single-file", sqlite: true };
  return [
    {
      name: "x86-64",
      command: [inCheckout("dist/porthole-x86_64")],
      version: { arch: "x64", ...deno },
    },
    {
      name: "armv7, the bundle on Debian's Node",
      command: polite("qemu-arm-static", "-L", armhf, `${armhf}/usr/bin/node`)
        .concat(inCheckout("dist/porthole.mjs")),
      version: { arch: "arm", packaged: "bundle", sqlite: true },
    },
    ...PAGE_SIZES.map((bytes) => ({
      name: `aarch64, pages of ${bytes / 1024} KiB`,
      command: polite("qemu-aarch64-static", "-p", String(bytes), "-L", arm64)
        .concat(inCheckout("dist/porthole-aarch64")),
      version: { arch: "arm64", ...deno },
    })),
  ];
}

/** The executable for armv7 that serves nothing unless it was made with NODE_ARMV7. */
export async function nodeApplication(): Promise<CommandLine> {
  const program = inCheckout("dist/porthole-armv7");
  return polite("qemu-arm-static", "-L", await sysroot("armhf"), program);
}

function polite(...command: string[]): string[] {
  return ["nice", "-n", "10", ...command];
}
