/**
 * A real relay for tests: Debian's coturn, on addresses of this machine alone, with the shared
 * secret from which the rendezvous makes time-limited credentials. Knows STUN's other addresses
 * too (RFC 5780).
 */
import { once } from "node:events";
import { type AddressInfo, createConnection, createServer } from "node:net";
import { turnCredential } from "../../src/rendezvous/ice_servers.ts";

const PROGRAM = "/usr/bin/turnserver";
export const SECRET = "north wind";
/** RFC 5780 wants a second address; all of 127/8 is this machine. */
const ADDRESSES = ["127.0.0.1", "127.0.0.2"] as const;
const START_LIMIT_MS = 20_000;
const VALID_SECONDS = 600;

/** Says why there is no coturn, or undefined. */
export async function coturnMissing(): Promise<string | undefined> {
  const found = await Deno.stat(PROGRAM).catch(() => undefined);
  return found === undefined ? "coturn is not installed (cross/setup_tests.sh)" : undefined;
}

/** For UDP and TCP, and for TLS; of each a second one, for RFC 5780. */
type Ports = readonly [plain: number, alternate: number, tls: number, alternateTls: number];

export interface Login {
  readonly username: string;
  readonly credential: string;
}

export class Coturn implements AsyncDisposable {
  readonly port: number;
  readonly tlsPort: number;
  /** PEM of the certificate that it shows over TLS, for "localhost". */
  readonly certificate: string;
  readonly #process: Deno.ChildProcess;
  readonly #folder: string;
  readonly #ports: Ports;
  readonly #output: Promise<string>;

  private constructor(
    process: Deno.ChildProcess,
    options: { ports: Ports; certificate: string; folder: string },
  ) {
    this.#process = process;
    this.#ports = options.ports;
    [this.port, , this.tlsPort] = options.ports;
    this.certificate = options.certificate;
    this.#folder = options.folder;
    this.#output = new Response(process.stdout).text();
  }

  /** Starts one; with `like`, in the place of one that was stopped. */
  static async start(
    { secret = SECRET, like }: { readonly secret?: string; readonly like?: Coturn } = {},
  ): Promise<Coturn> {
    const folder = await Deno.makeTempDir({ prefix: "coturn" });
    const certificate = await makeCertificate(folder);
    const ports = like === undefined ? await freePorts() : like.#ports;
    const [port, alternate, tlsPort, alternateTls] = ports;
    const lines = [
      ...ADDRESSES.map((address) => `listening-ip=${address}`),
      `relay-ip=${ADDRESSES[0]}`,
      `listening-port=${port}`,
      `alt-listening-port=${alternate}`,
      `tls-listening-port=${tlsPort}`,
      `alt-tls-listening-port=${alternateTls}`,
      `cert=${folder}/cert.pem`,
      `pkey=${folder}/key.pem`,
      "use-auth-secret",
      `static-auth-secret=${secret}`,
      "realm=porthole.test",
      "allow-loopback-peers",
      "no-cli",
      "no-multicast-peers",
      "fingerprint",
      `pidfile=${folder}/pid`,
      `userdb=${folder}/users.db`,
      "log-file=stdout",
      "simple-log",
      "verbose",
    ];
    await Deno.writeTextFile(`${folder}/turnserver.conf`, lines.join("\n"));
    const process = new Deno.Command(PROGRAM, {
      args: ["-c", `${folder}/turnserver.conf`],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const coturn = new Coturn(process, { ports, certificate, folder });
    await coturn.#listening();
    return coturn;
  }

  /** As the rendezvous makes it. */
  login(secret = SECRET): Login {
    const expires = Math.floor(Date.now() / 1000) + VALID_SECONDS;
    return turnCredential(secret, { expires, label: "test" });
  }

  url(transport: "udp" | "tcp" | "tls" = "udp"): string {
    if (transport === "tls") return `turns:localhost:${this.tlsPort}?transport=tcp`;
    return `turn:127.0.0.1:${this.port}?transport=${transport}`;
  }

  get stunUrl(): string {
    return `stun:127.0.0.1:${this.port}`;
  }

  /** What it wrote, after its end. */
  async stop(): Promise<string> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true }).catch(() => {});
    return await this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #listening(): Promise<void> {
    const limit = performance.now() + START_LIMIT_MS;
    while (performance.now() < limit) {
      if (await accepts(this.port) && await accepts(this.tlsPort)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const end = (await this.stop()).slice(-2000);
    throw new Error(`Cannot start coturn: it does not listen\n${end}`);
  }
}

async function makeCertificate(folder: string): Promise<string> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"],
      ...["-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`],
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return await Deno.readTextFile(`${folder}/cert.pem`);
}

/** Four ports that nobody has now; another program may still take one before coturn does. */
async function freePorts(): Promise<Ports> {
  const servers = Array.from({ length: 4 }, () => createServer().listen(0, ADDRESSES[0]));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports as unknown as Ports;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
