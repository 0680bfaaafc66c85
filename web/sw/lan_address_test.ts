/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { atOwnOrigin, isLanHost, readOrigin } from "./lan_address.ts";

function at(
  url: string,
  lan = "http://192.168.1.5",
  own = "http://label.example",
): string | undefined {
  return atOwnOrigin(new URL(url), { lan, own });
}

Deno.test("the service's own address on its LAN is found at the content origin", () => {
  assert.equal(at("http://192.168.1.5/a%2F?b#c"), "http://label.example/a%2F?b#c");
  assert.equal(at("http://192.168.1.5:80"), "http://label.example/");
  assert.equal(at("ws://192.168.1.5/socket?"), "http://label.example/socket?");
  assert.equal(at("https://gate.lan:8443/x", "https://gate.lan:8443"), "http://label.example/x");
});

Deno.test("any other address is none of ours", () => {
  const others = [
    ...[
      "http://192.168.1.5:8080/",
      "https://192.168.1.5/",
      "http://192.168.1.6/",
      "ftp://192.168.1.5/",
    ],
    ...[
      "http://u@192.168.1.5/",
      "http://192.168.1.5.evil.example/",
      "data:,x",
      "wss://192.168.1.5/",
    ],
  ];
  for (const url of others) assert.equal(at(url), undefined, url);
  assert.equal(at("http://192.168.1.5/", ""), undefined);
  assert.equal(at("http://192.168.1.5/", "nonsense"), undefined);
});

Deno.test("what a browser made secure by itself is the service's still, on the same port", () => {
  const own = "https://label.example";
  assert.equal(at("https://192.168.1.5/x", "http://192.168.1.5", own), `${own}/x`);
  assert.equal(at("wss://192.168.1.5:8080/x", "http://192.168.1.5:8080", own), `${own}/x`);
  assert.equal(at("https://192.168.1.5:8443/x", "http://192.168.1.5:8080", own), undefined);
  assert.equal(at("http://192.168.1.5/x", "https://192.168.1.5", own), undefined);
});

Deno.test("only hosts that may be on a LAN are worth a question", () => {
  for (const host of ["192.168.1.5", "[fd00::1]", "gate", "gate.local", "a.home.arpa"]) {
    assert.ok(isLanHost(host), host);
  }
  for (const host of ["cdn.example.com", "1.example.org", "local.example"]) {
    assert.ok(!isLanHost(host), host);
  }
});

Deno.test("what the agent says of the service's address is an origin or nothing", () => {
  assert.equal(readOrigin("http://192.168.1.5:8080"), "http://192.168.1.5:8080");
  for (const text of [undefined, "", "http://a/", "http://a:80", "javascript:x", "x", "HTTP://a"]) {
    assert.equal(readOrigin(text), "");
  }
});
