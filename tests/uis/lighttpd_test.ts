/**
 * lighttpd, as a device's file server: a directory listing, a film that is sought in (ranges), files that are not fetched
 * twice (ETag), WebDAV, and an area behind Digest.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { signIn, until } from "./people.ts";
import { testUi } from "./ui_test_case.ts";
import type { Place } from "./program.ts";

const USER = "anna";
const PASSWORD = "correct horse";
const REALM = "files of the gate";
const SECONDS = 20;

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

const SITE = {
  "index.html": `<!doctype html><meta charset="utf-8"><title>Files</title>
<link rel="stylesheet" href="style.css"><h1>Gate</h1>
<p><a href="/files/">All files</a> <a href="/private/">Private</a> <a href="film.html">Film</a></p>`,
  "style.css": "h1 { color: rgb(1, 2, 3); }",
  "film.html":
    `<!doctype html><title>Film</title><video id="film" src="/files/film.webm" controls muted></video>`,
  "private/index.html": "<!doctype html><title>Private</title><h1>Only for Anna</h1>",
  "files/räport & notes.txt": "what the gate did\n",
  "dav/first.txt": "first\n",
};

async function prepare({ folder, port }: Place) {
  const root = `${folder}/www`;
  for (const [path, text] of Object.entries(SITE)) {
    await Deno.mkdir(`${root}/${path}`.replace(/\/[^/]+$/, ""), { recursive: true });
    await Deno.writeTextFile(`${root}/${path}`, text);
  }
  await film(`${root}/files/film.webm`);
  await Deno.writeTextFile(
    `${folder}/users`,
    `${USER}:${REALM}:${md5(`${USER}:${REALM}:${PASSWORD}`)}\n`,
  );
  await Deno.writeTextFile(`${folder}/lighttpd.conf`, configuration({ folder, port }));
  return { command: "/usr/sbin/lighttpd", args: ["-D", "-f", `${folder}/lighttpd.conf`] };
}

function configuration({ folder, port }: Place): string {
  return `server.document-root = "${folder}/www"
server.bind = "127.0.0.1"
server.port = ${port}
server.errorlog = "${folder}/error.log"
server.modules = ("mod_auth", "mod_authn_file", "mod_webdav", "mod_dirlisting", "mod_accesslog", "mod_deflate")
accesslog.filename = "${folder}/access.log"
accesslog.format = "%m %U%q %s %b"
index-file.names = ("index.html")
mimetype.assign = (".html" => "text/html", ".css" => "text/css", ".txt" => "text/plain;charset=utf-8", ".webm" => "video/webm")
deflate.mimetypes = ("text/")
dir-listing.activate = "enable"
dir-listing.encoding = "utf-8"
auth.backend = "htdigest"
auth.backend.htdigest.userfile = "${folder}/users"
auth.require = ("/private/" => ("method" => "digest", "realm" => "${REALM}", "require" => "valid-user"))
$HTTP["url"] =~ "^/dav($|/)" { webdav.activate = "enable" }
`;
}

/** With a picture in it, so that a place in it can be shown. */
async function film(path: string): Promise<void> {
  const source = `testsrc=duration=${SECONDS}:size=320x180:rate=10`;
  const { code } = await new Deno.Command("ffmpeg", {
    args: [
      "-loglevel",
      "error",
      "-f",
      "lavfi",
      "-i",
      source,
      "-b:v",
      "2M",
      "-g",
      "10",
      "-deadline",
      "realtime",
      "-cpu-used",
      "8",
      path,
    ],
  }).output();
  assert.equal(code, 0, "ffmpeg made no film");
}

/** Waits for a line of the access log; it is written late. */
async function untilAsked(folder: string, wanted: RegExp): Promise<void> {
  await until(
    `the request ${wanted}`,
    async () => wanted.test(await Deno.readTextFile(`${folder}/access.log`)),
  );
}

await testUi("lighttpd", {
  sentence: "lighttpd: its listing, a film that is sought in, WebDAV, ETags and a Digest login",
  plan: { needs: ["/usr/sbin/lighttpd", "/usr/lib/lighttpd/mod_webdav.so"], prepare },
  async visit(stage, program) {
    let frame = await stage.open();
    await frame.getByRole("link", { name: "All files" }).click();
    await frame.getByRole("link", { name: "räport & notes.txt" }).click();
    await frame.getByText("what the gate did").waitFor();
    await stage.picture("listing");

    frame = await stage.open("/film.html");
    const place = await frame.locator("#film").evaluate(async (element) => {
      // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
      const video = element as any;
      if (video.readyState < 1) await new Promise((resolve) => video.onloadedmetadata = resolve);
      video.currentTime = 17;
      await new Promise((resolve) => video.onseeked = resolve);
      return { place: video.currentTime, length: video.duration, width: video.videoWidth };
    });
    assert.deepEqual(place, { place: 17, length: SECONDS, width: 320 });
    await stage.picture("film");
    await untilAsked(program.folder, /film\.webm 206/);

    const written = await frame.evaluate(async () => {
      const status = async (method: string, path: string, init: RequestInit = {}) =>
        (await fetch(path, { method, ...init })).status;
      const destination = {
        headers: { destination: new URL("/dav/new/b.txt", location.href).href },
      };
      return [
        await status("MKCOL", "/dav/new/"),
        await status("PUT", "/dav/new/a.txt", { body: "by a browser\n" }),
        await status("MOVE", "/dav/new/a.txt", destination),
        await status("PROPFIND", "/dav/new/", { headers: { depth: "1" } }),
        await status("DELETE", "/dav/first.txt"),
      ];
    });
    assert.deepEqual(written, [201, 201, 201, 207, 204]);
    const direct = await fetch(`${program.url}/dav/new/b.txt`);
    assert.equal(await direct.text(), "by a browser\n");
    assert.equal((await fetch(`${program.url}/dav/first.txt`)).status, 404);

    frame = await stage.open("/private/");
    await signIn(frame, { user: USER, password: "wrong" });
    await frame.getByRole("alert").waitFor();
    await signIn(frame, { user: USER, password: PASSWORD });
    await frame.getByRole("heading", { name: "Only for Anna" }).waitFor();
    frame = await stage.reload();
    await frame.getByRole("heading", { name: "Only for Anna" }).waitFor();
    await stage.picture("private");

    frame = await stage.open("/");
    await frame.getByRole("heading", { name: "Gate" }).waitFor();
    await frame.goto(frame.url());
    await frame.getByRole("heading", { name: "Gate" }).waitFor();
    await untilAsked(program.folder, /^GET \/ 304/m);
  },
});
