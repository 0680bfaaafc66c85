import { check, frame, json, once } from "./harness.js";

const own = (cookie = document.cookie) =>
  cookie.split("; ").filter((pair) => pair.startsWith("conf7")).sort();

await check("before", async () => [own(), await json("/who")]);

await check("form", async () => {
  const target = await frame("/form");
  const form = target.contentDocument.forms[0];
  form.elements.user.value = "ü";
  form.elements.password.value = "p";
  const loaded = once(target, "load");
  form.submit();
  await loaded;
  const { contentDocument } = target;
  return [contentDocument.URL, contentDocument.querySelector("#who").textContent];
});

await check("page sees", () => own());
await check("device sees", () => json("/who"));
await check("WebSocket sees", async () => {
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket");
  return (await once(socket, "message")).data;
});
await check("same tick", () => {
  document.cookie = "conf7x=1";
  return json("/who");
});
await check("same tick by XHR", () => {
  document.cookie = "conf7x=2";
  const request = new XMLHttpRequest();
  request.open("GET", "/who");
  const loaded = once(request, "load");
  request.send();
  return loaded.then(() => JSON.parse(request.responseText));
});
await check("same tick by WebSocket", async () => {
  document.cookie = "conf7x=3";
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket");
  return (await once(socket, "message")).data;
});
await check("same tick by image and frame", async () => {
  document.cookie = "conf7x=4";
  return (await frame("/home")).contentDocument.querySelector("#who").textContent;
});
await check("device sees 200 writes in order", async () => {
  for (let n = 0; n < 200; n++) document.cookie = `conf7n=${n}`;
  return (await json("/who")).find((pair) => pair.startsWith("conf7n"));
});
await check("cookieStore", async () => {
  await cookieStore.set("conf7store", "a b");
  const { value } = await cookieStore.get("conf7store");
  return [value, (await json("/who")).includes("conf7store=a b"), own().includes("conf7store=a b")];
});
await check("credentials: omit", () => json("/who", { credentials: "omit" }));
await check("HttpOnly stays", () => {
  document.cookie = "conf7session=stolen";
  const taken = own().includes("conf7session=stolen");
  return json("/who").then((seen) => [taken, seen.includes("conf7session=stolen")]);
});
