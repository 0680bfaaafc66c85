/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { answerDownload, disposition } from "./download.ts";

const ORIGIN = "https://x.example";

function ask(query: Record<string, string>, device = (_request: Request) => new Response("file")) {
  const url = `${ORIGIN}/.porthole/download?${new URLSearchParams(query)}`;
  return answerDownload(new Request(url), (request) => Promise.resolve(device(request)));
}

Deno.test("answerDownload() asks the device for the file and names it", async () => {
  let asked = "";
  const answer = await ask({ url: "/a/b%20c.bin?x=%2F", name: "räport (1).bin" }, (request) => {
    asked = request.url;
    return new Response("file", { headers: { "content-type": "text/html" } });
  });
  assert.equal(asked, `${ORIGIN}/a/b%20c.bin?x=%2F`);
  assert.equal(await answer?.text(), "file");
  assert.equal(
    answer?.headers.get("content-disposition"),
    "attachment; filename*=UTF-8''r%C3%A4port%20%281%29.bin",
  );
});

Deno.test("answerDownload() takes the address's last part where the page names none", async () => {
  const named = async (url: string) =>
    (await ask({ url }))?.headers.get("content-disposition")?.split("''")[1];
  assert.equal(await named("/a/b%20c.bin?x"), "b%20c.bin");
  assert.equal(await named("/"), "download");
  assert.equal(await named("/%E0%A4%A"), "%25E0%25A4%25A");
});

Deno.test("answerDownload() leaves other origins, our own files and other requests alone", () => {
  assert.equal(ask({ url: "https://y.example/" }), undefined);
  assert.equal(ask({ url: "/.porthole/socket" }), undefined);
  assert.equal(ask({ url: "blob:https://x.example/1" }), undefined);
  const other = new Request(`${ORIGIN}/download`);
  assert.equal(answerDownload(other, () => Promise.resolve(new Response())), undefined);
});

Deno.test("a download that the device refuses breaks off", async () => {
  const answer = await ask({ url: "/gone" }, () => new Response("no", { status: 404 }));
  assert.equal(answer?.status, 200);
  await assert.rejects(answer!.text(), TypeError); // the request was for a download
});

Deno.test("disposition() keeps the name that the device gave", () => {
  assert.equal(disposition(`inline; filename="d.bin"`, "p"), `attachment; filename="d.bin"`);
  assert.equal(
    disposition(`attachment; filename*=UTF-8''d`, "p"),
    "attachment; filename*=UTF-8''d",
  );
  assert.equal(disposition("inline", "p"), "attachment; filename*=UTF-8''p");
  assert.equal(disposition(null, "\ud800'"), "attachment; filename*=UTF-8''%EF%BF%BD%27");
});
