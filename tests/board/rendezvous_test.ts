/**
 * docs/rendezvous.md, followed: Debian's Caddy with the document's own Caddyfile, the rendezvous as its unit starts it, and a
 * device that comes by `wss:`. Only names, ports and the certificate are this machine's; the authority is a local one.
 */
import assert from "node:assert/strict";
import { request } from "node:https";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { run } from "../../cross/process.ts";
import { sysroot } from "../../cross/sysroot.ts";
import { Child } from "../e2e/child.ts";
import { inCheckout } from "../e2e/checkout.ts";
import { untilLogged } from "../e2e/log_lines.ts";
import { runPorthole, startPorthole } from "../e2e/processes.ts";
import { freePort } from "../e2e/free_port.ts";

const FETCH_LIMIT_MS = 30_000;
const CADDY_LIMIT_MS = 60_000;
const PROGRAM = [inCheckout("dist/porthole-x86_64")];

/** An authority that only this test believes, and a certificate for localhost and the names below pages.localhost. */
async function makeCertificate(folder: string): Promise<void> {
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "1",
    "-subj",
    "/CN=test authority",
  );
  await openssl(
    "req",
    ...key,
    "-keyout",
    "privkey.pem",
    "-out",
    "server.csr",
    "-subj",
    "/CN=localhost",
  );
  await Deno.writeTextFile(
    `${folder}/names`,
    "subjectAltName=DNS:localhost,DNS:*.pages.localhost\n",
  );
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1"];
  await openssl(
    "x509",
    "-req",
    "-in",
    "server.csr",
    ...signing,
    "-extfile",
    "names",
    "-out",
    "server.pem",
  );
  const chain = await Promise.all(
    ["server.pem", "ca.pem"].map((name) => Deno.readTextFile(`${folder}/${name}`)),
  );
  await Deno.writeTextFile(`${folder}/fullchain.pem`, chain.join(""));
}

/** The block that a person copies. */
async function documentedCaddyfile(): Promise<string> {
  const document = await Deno.readTextFile(inCheckout("docs/rendezvous.md"));
  return /^```caddy\n([^]*?)^```/m.exec(document)![1]!;
}

/** The unit's command line, and not another. */
async function unitArguments(values: Readonly<Record<string, string>>): Promise<string[]> {
  const unit = await Deno.readTextFile(inCheckout("systemd/porthole-rendezvous.service"));
  const [, line] = /^ExecStart=\/usr\/bin\/porthole (.*)$/m.exec(unit)!;
  return line!.split(" ").map((word) =>
    word.replace(/^\$\{(\w+)\}$|^\$(\w+)$/, (_, one, other) => values[one ?? other]!)
  ).filter((word) => word !== "");
}

async function get(url: URL, ca: string): Promise<{ status: number; body: string }> {
  const { hostname, port, pathname } = url;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = {
      ...{ host: "127.0.0.1", port, path: pathname, servername: hostname, ca, agent: false },
      headers: { host: url.host },
      signal: AbortSignal.timeout(FETCH_LIMIT_MS),
    };
    request(options, resolve).on("error", reject).end();
  });
  return { status: response.statusCode!, body: await text(response) };
}

Deno.test("the document's proxy, the unit's rendezvous and a device meet over https", async () => {
  const folder = await Deno.makeTempDir({ prefix: "porthole-caddy-" });
  try {
    await makeCertificate(folder);
    const [proxyPort, port] = [freePort(), freePort()];
    const shell = `https://localhost:${proxyPort}`;
    const values = {
      ORIGIN: shell,
      CONTENT_ORIGIN: `https://*.pages.localhost:${proxyPort}`,
      OPTIONS: "",
    };
    const args = (await unitArguments(values)).map((word) => word.replace(":8080", `:${port}`));
    await using _rendezvous = await startPorthole({ from: PROGRAM, args: [...args, "--json"] });

    const caddyfile = (await documentedCaddyfile())
      .replace("meet.example.org", `localhost:${proxyPort}`)
      .replace("*.content.example", `*.pages.localhost:${proxyPort}`)
      .replaceAll("/etc/caddy/", `${folder}/`)
      .replace("127.0.0.1:8080", `127.0.0.1:${port}`);
    await Deno.writeTextFile(
      `${folder}/Caddyfile`,
      `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${caddyfile}`,
    );
    const caddy = `${await sysroot("tools")}/usr/bin/caddy`;
    await using proxy = Child.start({
      command: caddy,
      args: ["run", "--config", `${folder}/Caddyfile`, "--adapter", "caddyfile"],
      env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    });
    await proxy.find(
      ({ stderr }) => stderr.includes("serving initial configuration") || undefined,
      {
        what: "word that it serves",
        limitMs: CADDY_LIMIT_MS,
      },
    );

    const ca = await Deno.readTextFile(`${folder}/ca.pem`);
    const page = await get(new URL(`${shell}/`), ca);
    assert.deepEqual([page.status, /shell\.js/.test(page.body)], [200, true]);
    const content = await get(
      new URL(`https://${"a".repeat(26)}.pages.localhost:${proxyPort}/`),
      ca,
    );
    assert.doesNotMatch(content.body, /shell\.js/, "device pages have an origin of their own");
    await assert.rejects(get(new URL(`${shell}/`), ""), /certificate|issuer|self.signed/i);

    await using device = await startPorthole({
      from: PROGRAM,
      args: [
        "run",
        "--rendezvous",
        `wss://localhost:${proxyPort}`,
        "--state",
        `${folder}/state`,
        "--json",
      ],
      env: { DENO_CERT: `${folder}/ca.pem`, NODE_EXTRA_CA_CERTS: `${folder}/ca.pem` },
    });
    await untilLogged(device, "rendezvous.connected");
    const pair = await runPorthole({
      from: PROGRAM,
      args: ["pair", "--json", "--state", `${folder}/state`],
    });
    assert.ok(JSON.parse(pair.stdout).url.startsWith(`${shell}/#pair=`), pair.stdout + pair.stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
