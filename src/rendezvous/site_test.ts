import assert from "node:assert/strict";
import { CONTENT_HOST, Fixture, recordingLog, SHELL, SHELL_HOST } from "./fixture.ts";

const shell = { host: SHELL_HOST };
const content = { host: CONTENT_HOST };

Deno.test("site serves the shell with its strict headers", async () => {
  await using fixture = await new Fixture().start();
  const { status, headers, text } = await fixture.get("/", shell);
  assert.equal(status, 200);
  assert.equal(text, "<meta content='http://*.porthole.localhost:8080'>");
  assert.equal(
    headers["content-security-policy"],
    "default-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'; " +
      "connect-src 'self' ws://porthole.localhost:8080; img-src 'self' data: blob:; " +
      "media-src 'self' blob: mediastream:; font-src 'self'; manifest-src 'self'; " +
      "frame-src http://*.porthole.localhost:8080; " +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  assert.equal(headers["origin-agent-cluster"], "?1");
  assert.equal(headers["cross-origin-opener-policy"], "same-origin-allow-popups");
  assert.equal(headers["cross-origin-resource-policy"], "same-origin");
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.match(String(headers["permissions-policy"]), /camera=\(\).*microphone=\(self\)/);
  assert.equal(headers["content-type"], "text/html; charset=utf-8");
  assert.equal(headers["service-worker-allowed"], undefined);
});

Deno.test("site serves the content side's files under /.porthole/ only", async () => {
  await using fixture = await new Fixture().start();
  const bridge = await fixture.get("/.porthole/bridge.html?x=1", content);
  assert.equal(bridge.status, 200);
  assert.equal(
    bridge.headers["content-security-policy"],
    "default-src 'none'; script-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; " +
      "frame-ancestors http://porthole.localhost:8080",
  );
  const script = await fixture.get("/.porthole/bridge.js", content);
  assert.equal(script.text, `const shell = '${SHELL}'`);
  const worker = await fixture.get("/.porthole/sw.js", content);
  assert.equal(worker.headers["service-worker-allowed"], "/");
  assert.equal(worker.headers["content-security-policy"], undefined);
  assert.equal(worker.headers["cache-control"], "no-cache");
});

Deno.test("site leaves what is not text as it is", async () => {
  await using fixture = await new Fixture().start();
  assert.equal((await fixture.get("/logo.png", shell)).text, "__SHELL_ORIGIN__");
});

Deno.test("site answers 304 when the browser has the file", async () => {
  await using fixture = await new Fixture().start();
  const first = await fixture.get("/.porthole/sw.js", content);
  const tag = String(first.headers.etag);
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
    const again = await fixture.get("/.porthole/sw.js", { ...content, "if-none-match": known });
    assert.deepEqual([again.status, again.text, again.headers.etag], [304, "", tag]);
    assert.equal(again.headers["service-worker-allowed"], "/");
  }
  const other = await fixture.get("/.porthole/sw.js", { ...content, "if-none-match": '"other"' });
  assert.equal(other.status, 200);
});

Deno.test("a missing asset is a 404 and never the start page", async () => {
  await using fixture = await new Fixture().start();
  const paths = [
    "/missing.js",
    "/.porthole/sw.js",
    "//",
    "/../shell/index.html",
    "/shell/index.html",
  ];
  for (const path of [...paths, "/%69ndex.html", "/content/sw.js"]) {
    const { status, headers, text } = await fixture.get(path, shell);
    assert.deepEqual([status, text], [404, "There is no such page.\n"], path);
    assert.equal(headers["content-type"], "text/plain; charset=utf-8");
  }
  const ours = [
    "/",
    "/index.html",
    "/.porthole/",
    "/.porthole/missing.js",
    "/.porthole/../shell/index.html",
  ];
  for (
    const path of [...ours, "/.porthole/index.html", "//.porthole/sw.js", "/.porthole/%73w.js"]
  ) {
    const { status, text } = await fixture.get(path, content);
    assert.deepEqual([status, text], [404, "There is nothing here.\n"], path);
  }
});

Deno.test("site answers HEAD without a body and refuses other methods", async () => {
  await using fixture = await new Fixture().start();
  const head = await fixture.get("/", shell, { method: "HEAD" });
  assert.deepEqual([head.status, head.text], [200, ""]);
  assert.equal((await fixture.get("/", shell, { method: "POST" })).status, 405);
  assert.equal((await fixture.get("/.porthole/sw.js", content, { method: "POST" })).status, 404);
});

Deno.test("what bypassed a service worker leaves nothing in the log or the answer", async () => {
  const { log, lines } = recordingLog();
  {
    await using fixture = await new Fixture({ log }).start();
    const cookie = "sid=SECRET";
    const stray = await fixture.get("/SECRET/a?token=SECRET", { ...content, cookie });
    assert.equal(stray.status, 404);
    assert.doesNotMatch(stray.text + JSON.stringify(stray.headers), /SECRET/);
    await fixture.get("/SECRET", content, { method: "POST" });
    assert.equal(
      await fixture.refusal("/SECRET?SECRET", { ...content, origin: "http://SECRET" }),
      404,
    );
    await fixture.raw(`GET http://SECRET/ HTTP/1.1\r\nHost: SECRET\r\nConnection: close\r\n\r\n`);
    assert.equal(fixture.rendezvous.counts().strayed, 2);
  }
  assert.doesNotMatch(lines.join("\n"), /SECRET/);
  assert.match(lines.at(-1)!, /^rendezvous.closed .*"strayed":2/);
});

Deno.test("a request whose Host is not ours gets nothing", async () => {
  await using fixture = await new Fixture().start();
  const heads = [
    ["/ HTTP/1.1", "Host: evil.example"],
    ["/ HTTP/1.1", "Host: porthole.localhost"],
    ["/ HTTP/1.1", `Host: ${SHELL_HOST}.evil.example`],
    ["/ HTTP/1.1", `Host: ${SHELL_HOST}\r\nHost: ${CONTENT_HOST}`],
    ["/ HTTP/1.1", "Host:"],
    ["/ HTTP/1.1", "X-None: 1"],
    ["/ HTTP/1.0", "X-None: 1"],
    [`http://${SHELL_HOST}/ HTTP/1.1`, "Host: evil.example"],
    [`http://evil.example/ HTTP/1.1`, `Host: ${SHELL_HOST}`],
    ["* HTTP/1.1", `Host: ${SHELL_HOST}`],
    ["/ HTTP/1.1", "Host: a b"],
  ];
  for (const [target, lines] of heads) {
    const answer = await fixture.raw(`GET ${target}\r\n${lines}\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 4(00|21) /, `${target} ${lines}`);
    assert.doesNotMatch(answer, /meta/);
  }
});

Deno.test("a body that nobody wants is not read to its end", async () => {
  await using fixture = await new Fixture().start();
  const hosts = [SHELL_HOST, CONTENT_HOST, "evil.example"];
  for (const host of hosts) {
    const head = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000000\r\n\r\n`;
    assert.match(await fixture.raw(head + "x".repeat(1000)), /^HTTP\/1\.1 4/); // resolves when closed
  }
});

Deno.test("what is not HTTP is cut off", async () => {
  await using fixture = await new Fixture().start();
  assert.doesNotMatch(await fixture.raw("\x16\x03\x01garbage\r\n\r\n"), /200/);
  assert.equal((await fixture.get("/", shell)).status, 200);
});

Deno.test("a port that is in use is reported with what to do", async () => {
  await using fixture = await new Fixture().start();
  const second = new Fixture({ port: fixture.port });
  await assert.rejects(second.start(), {
    message: `Cannot listen on 127.0.0.1:${fixture.port}: the port is in use. ` +
      "Stop the other program or choose another port (--listen; of the demo --port)",
  });
  await second.rendezvous.close();
});

Deno.test("an asset of another part is not served", async () => {
  const assets = new Map([["camera/clip", { bytes: new Uint8Array(1), type: "video/h264" }]]);
  await using fixture = await new Fixture({ assets }).start();
  for (const path of ["/camera/clip", "/../camera/clip"]) {
    assert.equal((await fixture.get(path, shell)).status, 404);
    assert.equal((await fixture.get(`/.porthole${path}`, content)).status, 404);
  }
});
