/** What stands in the flash kit's files, from what the person who makes it says in the environment. */

/** What a kit is made from. Texts have been checked: none of them can leave the quotes it is put into. */
export interface KitOptions {
  /** A wss: or ws: URL. */
  readonly rendezvous: string;
  readonly name: string;
  /** A public key of OpenSSH; nobody can log in without. */
  readonly sshKey: string | undefined;
  readonly wifi:
    | { readonly ssid: string; readonly password: string; readonly country: string }
    | undefined;
  /** A whole porthole.toml instead of the one that is made. */
  readonly config: string | undefined;
}

const DEFAULT_NAME = "porthole";

/** Reads RENDEZVOUS, NAME, SSH_KEY and CONFIG (files), WIFI_SSID, WIFI_PASSWORD, WIFI_COUNTRY. Throws an Error for people. */
export async function readOptions(
  env: Readonly<Partial<Record<string, string>>>,
): Promise<KitOptions> {
  const { RENDEZVOUS, NAME = DEFAULT_NAME, SSH_KEY, CONFIG } = env;
  const options = {
    rendezvous: rendezvousUrl(RENDEZVOUS),
    name: plain("NAME", NAME),
    sshKey: SSH_KEY === undefined ? undefined : sshKey(await Deno.readTextFile(SSH_KEY)),
    wifi: wifi(env),
    config: CONFIG === undefined ? undefined : await Deno.readTextFile(CONFIG),
  };
  return options;
}

function rendezvousUrl(typed: string | undefined): string {
  const url = typed === undefined ? null : URL.parse(typed);
  if (url === null || !/^(https?|wss?):$/.test(url.protocol) || url.pathname !== "/") {
    throw new Error("Cannot make a flash kit: give RENDEZVOUS=https://meet.example.org");
  }
  return url.origin === "null" ? url.href.replace(/\/$/, "") : url.origin.replace(/^http/, "ws");
}

function wifi({ WIFI_SSID: ssid, WIFI_PASSWORD: password, WIFI_COUNTRY: country = "GB" }: Readonly<
  Partial<Record<string, string>>
>): KitOptions["wifi"] {
  if (ssid === undefined) return undefined;
  if (password === undefined || password.length < 8) {
    throw new Error(
      "Cannot make a flash kit: WIFI_SSID needs WIFI_PASSWORD, of 8 characters or more",
    );
  }
  if (!/^[A-Z]{2}$/.test(country)) {
    throw new Error("Cannot make a flash kit: WIFI_COUNTRY is two letters");
  }
  return { ssid: plain("WIFI_SSID", ssid), password: plain("WIFI_PASSWORD", password), country };
}

/** JSON's quotes are YAML's and TOML's, but control characters have no business here. */
function plain(name: string, text: string): string {
  if (text !== "" && !/\p{Cc}/u.test(text)) return text;
  throw new Error(`Cannot make a flash kit: ${name} is empty or has control characters`);
}

function sshKey(text: string): string {
  const key = text.trim();
  if (/^(ssh-|ecdsa-|sk-)[\w@.-]+ [\w+/=]+( [^\p{Cc}]*)?$/u.test(key)) return key;
  throw new Error("Cannot make a flash kit: SSH_KEY names no public key of OpenSSH");
}

/** cloud-init's configuration. The user is needed for ssh only; nobody can log in by a password. */
export function userData({ sshKey, name }: KitOptions): string {
  const keys = sshKey === undefined
    ? ""
    : `    ssh_authorized_keys:\n      - ${JSON.stringify(sshKey)}\n`;
  return `#cloud-config
# Made by porthole's flash kit for ${
    JSON.stringify(name)
  }: installs porthole from this partition, once.
hostname: porthole
users:
  - name: porthole-admin
    gecos: who looks after this board
    groups: [sudo, video]
    shell: /bin/bash
    lock_passwd: true
    sudo: "ALL=(ALL) NOPASSWD:ALL"
${keys}ssh_pwauth: false
package_update: false
runcmd:
  - [sh, /boot/firmware/porthole/first-boot.sh]
`;
}

/** netplan: the cable, and the radio where it was given. */
export function networkConfig({ wifi }: KitOptions): string {
  const radio = wifi === undefined ? "" : `  wifis:
    wlan0:
      dhcp4: true
      optional: true
      regulatory-domain: ${wifi.country}
      access-points:
        ${JSON.stringify(wifi.ssid)}:
          password: ${JSON.stringify(wifi.password)}
`;
  return `network:
  version: 2
  ethernets:
    eth0:
      dhcp4: true
      optional: true
${radio}`;
}

/** Where nothing else was given: a name and a rendezvous; services and cameras are added on the board. */
export function portholeToml({ config, name, rendezvous }: KitOptions): string {
  return config ?? `# What else may stand here: /usr/share/porthole/porthole.toml
name = ${JSON.stringify(name)}
rendezvous = ${JSON.stringify(rendezvous)}
`;
}
