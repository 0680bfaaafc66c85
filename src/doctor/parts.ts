/** What the doctor needs of the other parts of a device; `main` connects them (`run_doctor.ts`). */
import type { Verdict } from "./finding.ts";

/** What came of looking at the rendezvous. `date` is its clock, in ms. */
export type RendezvousProbe =
  | { readonly kind: "good"; readonly date?: number }
  | {
    readonly kind: "bad";
    readonly reason: string;
    readonly remedy: string;
    readonly date?: number;
    /** Its certificate does not hold yet by this machine's clock. */
    readonly early?: boolean;
  };

export interface ServerName {
  readonly host: string;
  readonly port: number;
}

export interface RelayName extends ServerName {
  readonly transport: "udp" | "tcp" | "tls";
}

/** How a NAT maps and filters (RFC 5780 4). */
export interface NatKind {
  readonly mapping:
    | "none"
    | "endpoint-independent"
    | "address-dependent"
    | "port-dependent"
    | "unknown";
  readonly filtering: "endpoint-independent" | "address-dependent" | "port-dependent" | "unknown";
}

/** The network as a device sees it. None of these rejects but `allocate`. */
export interface Network<Relay extends RelayName = RelayName> {
  /** Address under which the server sees us, and how long that took in ms; undefined without an answer. */
  ask(server: ServerName): Promise<{ readonly address: string; readonly ms: number } | undefined>;
  natKind(servers: readonly ServerName[]): Promise<NatKind>;
  /** Allocates and gives back. Rejects with an Error that says why not. */
  allocate(relay: Relay): Promise<void>;
}

/** Something whose `probe` rejects with an Error for people. */
export interface Probed {
  readonly id: string;
  probe(signal: AbortSignal): Promise<void>;
}

/** A file below `/dev` that a camera names. */
export interface DeviceFile {
  readonly camera: string;
  readonly path: string;
}

export interface DoctorParts<Relay extends RelayName = RelayName> {
  /** The state folder. */
  readonly state: string;
  /** Files in it that nobody else may read. */
  readonly secretFiles: readonly string[];
  /** What is known of the porthole that runs here. */
  readonly agent: Verdict;
  /** Rejects with an Error for people; gives false where there is no identity yet. */
  checkIdentity(): Promise<boolean>;
  /** Throws likewise; gives false where there is no store yet. */
  checkStore(): Promise<boolean>;
  probeRendezvous(signal: AbortSignal): Promise<RendezvousProbe>;
  /** What the rendezvous names; undefined where nobody could ask it. */
  servers(signal: AbortSignal): Promise<
    { readonly stun: readonly ServerName[]; readonly relays: readonly Relay[] } | undefined
  >;
  readonly network: Network<Relay>;
  readonly services: readonly Probed[];
  readonly cameras: readonly Probed[];
  readonly deviceFiles: readonly DeviceFile[];
  /** This machine's clock, in ms. */
  now(): number;
}
