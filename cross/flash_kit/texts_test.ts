import assert from "node:assert/strict";
import { type KitOptions, networkConfig, portholeToml, readOptions, userData } from "./texts.ts";
import { parse } from "smol-toml";

const RENDEZVOUS = "https://meet.example.org";

Deno.test("a kit needs no more than a rendezvous", async () => {
  const options = await readOptions({ RENDEZVOUS });
  assert.deepEqual({ ...parse(portholeToml(options)) }, {
    name: "porthole",
    rendezvous: "wss://meet.example.org",
  });
  assert.doesNotMatch(userData(options), /ssh_authorized_keys/);
  assert.match(userData(options), /lock_passwd: true/);
  assert.doesNotMatch(networkConfig(options), /wifis/);
});

Deno.test("a kit takes the rendezvous as people and as porthole.toml write it", async () => {
  for (const typed of [RENDEZVOUS, `${RENDEZVOUS}/`, "wss://meet.example.org"]) {
    assert.equal((await readOptions({ RENDEZVOUS: typed })).rendezvous, "wss://meet.example.org");
  }
  assert.equal(
    (await readOptions({ RENDEZVOUS: "http://10.0.0.2:8080" })).rendezvous,
    "ws://10.0.0.2:8080",
  );
});

Deno.test("a kit refuses what cannot work, with what to give", async () => {
  const cases: readonly Readonly<Record<string, string>>[] = [
    {},
    { RENDEZVOUS: "meet.example.org" },
    { RENDEZVOUS: "https://meet.example.org/path" },
    { RENDEZVOUS: "ftp://meet.example.org" },
    { RENDEZVOUS, NAME: "two\nlines" },
    { RENDEZVOUS, NAME: "" },
    { RENDEZVOUS, WIFI_SSID: "Home" },
    { RENDEZVOUS, WIFI_SSID: "Home", WIFI_PASSWORD: "short" },
    { RENDEZVOUS, WIFI_SSID: "Home", WIFI_PASSWORD: "longenough", WIFI_COUNTRY: "x" },
    { RENDEZVOUS, SSH_KEY: new URL("texts.ts", import.meta.url).pathname },
  ];
  for (const env of cases) {
    await assert.rejects(
      readOptions(env),
      /^Error: Cannot make a flash kit: /,
      JSON.stringify(env),
    );
  }
});

Deno.test("quotes and backslashes of names and passwords stay inside their quotes", () => {
  const wild = `a"b\\c: #'{}`;
  const options: KitOptions = {
    rendezvous: "wss://meet.example.org",
    name: wild,
    sshKey: undefined,
    wifi: { ssid: wild, password: wild, country: "GB" },
    config: undefined,
  };
  assert.equal(parse(portholeToml(options)).name, wild);
  assert.equal(networkConfig(options).split(JSON.stringify(wild)).length, 3);
});
