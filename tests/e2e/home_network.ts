/**
 * Behind the viewer's host of `two_hosts.ts`, which becomes a router: a home with a NAT, where the browser runs. Things
 * happen to it as to real ones: another address, a dead link, a router that forgets.
 *
 *   phdev 10.77.0.1 ---- 10.77.0.2 phview 192.168.77.1 ---- 192.168.77.2 phhome
 *                                  10.99.0.1, for the rendezvous: what everybody reaches
 */
import { DEVICE_HOST, VIEWER_HOST } from "./two_hosts.ts";

export const HOME = "phhome";
export const PUBLIC_ADDRESS = "10.99.0.1";
const LIMIT_MS = 10_000;

/** A home network that is up. Dispose of it before the two hosts. */
export class HomeNetwork implements AsyncDisposable {
  #home = "192.168.77.2";
  #device: string = DEVICE_HOST.address;

  static async up(): Promise<HomeNetwork> {
    const { netns: router } = VIEWER_HOST;
    await ip("netns", "add", HOME);
    await ip(
      "link",
      "add",
      "phin",
      "netns",
      router,
      "type",
      "veth",
      "peer",
      "name",
      "phout",
      "netns",
      HOME,
    );
    await ip("-n", router, "addr", "add", "192.168.77.1/24", "dev", "phin");
    await ip("-n", router, "addr", "add", `${PUBLIC_ADDRESS}/32`, "dev", "lo");
    await ip("-n", router, "link", "set", "phin", "up");
    await ip("-n", HOME, "link", "set", "lo", "up");
    await ip("-n", HOME, "link", "set", "phout", "up");
    const network = new HomeNetwork();
    await network.#address(HOME, { device: "phout", address: network.#home, via: "192.168.77.1" });
    await network.#address(DEVICE_HOST.netns, {
      device: "phtun0",
      address: network.#device,
      via: VIEWER_HOST.address,
    });
    await inRouter("sysctl", "-qw", "net.ipv4.ip_forward=1");
    await nft("add table ip home");
    await nft("add chain ip home out { type nat hook postrouting priority 100 ; }");
    await nft("add rule ip home out oifname phtun1 masquerade random");
    await nft("add chain ip home pass { type filter hook forward priority 0 ; }");
    await nft("add chain ip home here { type filter hook input priority 0 ; }");
    return network;
  }

  /** The browser's host has another address from now on: another Wi-Fi, or none but a mobile one. */
  async moveHome(): Promise<void> {
    this.#home = this.#home.endsWith(".2") ? "192.168.77.3" : "192.168.77.2";
    await this.#address(HOME, { device: "phout", address: this.#home, via: "192.168.77.1" });
  }

  /** The board has another lease. */
  async moveDevice(): Promise<void> {
    this.#device = this.#device.endsWith(".1") ? "10.77.0.5" : "10.77.0.1";
    const { netns } = DEVICE_HOST;
    await this.#address(netns, {
      device: "phtun0",
      address: this.#device,
      via: VIEWER_HOST.address,
    });
  }

  /** From now on nothing passes from or to the home, and nobody is told. */
  async cut(): Promise<void> {
    await nft("add rule ip home pass drop");
    await nft("add rule ip home here iifname phin drop");
  }

  async mend(): Promise<void> {
    await nft("flush chain ip home pass");
    await nft("flush chain ip home here");
  }

  /** The router forgets all its mappings: masquerading does when its address goes. New ones have other ports. */
  async forgetMappings(): Promise<void> {
    const { netns, address } = VIEWER_HOST;
    await ip("-n", netns, "addr", "del", `${address}/24`, "dev", "phtun1");
    await ip("-n", netns, "addr", "add", `${address}/24`, "dev", "phtun1");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ip("netns", "del", HOME);
  }

  async #address(
    netns: string,
    { device, address, via }: { device: string; address: string; via: string },
  ): Promise<void> {
    await ip("-n", netns, "addr", "flush", "dev", device);
    await ip("-n", netns, "addr", "add", `${address}/24`, "dev", device);
    await ip("-n", netns, "route", "replace", "default", "via", via);
  }
}

function nft(command: string): Promise<void> {
  return inRouter("nft", command);
}

function inRouter(...line: string[]): Promise<void> {
  return ip("netns", "exec", VIEWER_HOST.netns, ...line);
}

async function ip(...args: string[]): Promise<void> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const { code, stderr } = await new Deno.Command("ip", { args, signal, stdout: "null" }).output();
  if (code === 0) return;
  throw new Error(`Cannot run ip ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
