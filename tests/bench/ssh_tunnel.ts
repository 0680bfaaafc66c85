/** `ssh -L` between the two hosts: Debian's openssh, with keys of this run, as somebody would use it instead of porthole. */
import { exists } from "../e2e/checkout.ts";
import { Child } from "../e2e/child.ts";
import { DEVICE_HOST, VIEWER_HOST } from "../e2e/two_hosts.ts";

const SSHD = "/usr/sbin/sshd";
const PORT = 2222;
/** sshd refuses to start without it. */
const PRIVILEGE_FOLDER = "/run/sshd";
const READY_LIMIT_MS = 20_000;

/** Why there can be no tunnel here; undefined if there can. */
export async function sshMissing(): Promise<string | undefined> {
  return await exists(SSHD) ? undefined : `no ${SSHD}: install openssh-server`;
}

/** Ports of the viewer's own host, by which it reaches ports of the device's. Dispose of it. */
export async function sshTunnel(
  forwards: readonly { local: number; remote: number }[],
): Promise<AsyncDisposable> {
  await using parts = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "porthole-ssh-" });
  parts.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.mkdir(PRIVILEGE_FOLDER, { recursive: true });
  for (const key of ["host", "user"]) await makeKey(`${folder}/${key}`);
  await Deno.writeTextFile(`${folder}/config`, serverConfiguration(folder));
  const server = parts.use(Child.start({
    command: SSHD,
    args: ["-D", "-e", "-f", `${folder}/config`],
    netns: DEVICE_HOST.netns,
  }));
  await server.find(({ stderr }) => /Server listening/.test(stderr) || undefined, {
    what: "a listening sshd",
    limitMs: READY_LIMIT_MS,
  });
  const client = parts.use(Child.start({
    command: "ssh",
    args: [
      ...["-v", "-N", "-p", String(PORT), "-i", `${folder}/user`, "-F", "none"],
      ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
      ...["-o", "ExitOnForwardFailure=yes", "-o", "BatchMode=yes"],
      ...forwards.flatMap(({ local, remote }) => [
        "-L",
        `127.0.0.1:${local}:${DEVICE_HOST.address}:${remote}`,
      ]),
      `root@${DEVICE_HOST.address}`,
    ],
    netns: VIEWER_HOST.netns,
  }));
  await client.find(({ stderr }) => /Entering interactive session/.test(stderr) || undefined, {
    what: "a connected ssh",
    limitMs: READY_LIMIT_MS,
  });
  const moved = parts.move();
  return { [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

async function makeKey(path: string): Promise<void> {
  const args = ["-q", "-t", "ed25519", "-N", "", "-f", path];
  const { code } = await new Deno.Command("ssh-keygen", { args }).output();
  if (code !== 0) throw new Error(`Cannot make a key at ${path}: ssh-keygen ended with ${code}`);
}

function serverConfiguration(folder: string): string {
  return [
    `ListenAddress ${DEVICE_HOST.address}:${PORT}`,
    `HostKey ${folder}/host`,
    `AuthorizedKeysFile ${folder}/user.pub`,
    `PidFile ${folder}/pid`,
    "PermitRootLogin prohibit-password",
    "StrictModes no",
    "UsePAM no",
    "AllowTcpForwarding yes",
    "",
  ].join("\n");
}
