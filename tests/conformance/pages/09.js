import { check } from "./harness.js";

await check("fetch without a login", async () => {
  const response = await fetch("/basic/fetch", { headers: { "x-requested-with": "fetch" } });
  return [response.status, await response.text(), response.headers.get("www-authenticate")];
});
await check("XHR without a login", () =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", "/md5/xhr");
    request.onloadend = () => resolve([request.status, request.responseText]);
    request.send();
  }));
await check("own Authorization, wrong", async () => {
  const headers = { authorization: `Basic ${btoa("x:y")}` };
  return (await fetch("/basic/own", { headers })).status;
});
