import { check, frame, json, sleep } from "./harness.js";

const own = (cookie = document.cookie) =>
  cookie.split("; ").filter((pair) => pair.startsWith("conf8")).sort();
const set = (...lines) =>
  fetch("/set?" + lines.map((line) => `cookie=${encodeURIComponent(line)}`).join("&"));

await check("Max-Age", async () => {
  await set("conf8age=1; Max-Age=4; Path=/");
  const before = await json("/who");
  await sleep(6_000);
  return [before, await json("/who")];
});
await check("Max-Age in document.cookie", () => own());
await check("Expires in the past", async () => {
  await set("conf8old=1; Path=/");
  const before = own();
  await set("conf8old=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/");
  return [before, own(), await json("/who")];
});
await check("Path", async () => {
  await set("conf8deep=1; Path=/deep");
  const deep = await frame("/deep/page");
  return [
    own(),
    own(deep.contentDocument.cookie),
    await json("/who"),
    await json("/deep/er/who"),
    await json("/deeper").catch(() => "none"),
  ];
});
await check("default path", async () => {
  document.cookie = "conf8default=1";
  return [own(), await json("/who"), await json("/deep/er/who")];
});
await check("deletion by the page", async () => {
  document.cookie = "conf8default=; max-age=0";
  document.cookie = "conf8deep=; max-age=0; path=/deep";
  return [own(), await json("/deep/er/who")];
});
await check("same name, two paths", async () => {
  await set("conf8two=root; Path=/", "conf8two=deep; Path=/deep");
  return [await json("/who"), await json("/deep/er/who")];
});
await check("Domain of somebody else", async () => {
  await set("conf8foreign=1; Domain=example.com; Path=/");
  return [own().includes("conf8foreign=1"), await json("/who")];
});
await check("strange values", async () => {
  await set('conf8quoted="a b"; Path=/', "conf8empty=; Path=/", "conf8equals=a=b=c; Path=/");
  return [own(), await json("/who")];
});
await check("Secure", async () => {
  await set("conf8secure=1; Secure; Path=/");
  return own().includes("conf8secure=1");
});
await check("logout", async () => {
  for (const pair of own()) await set(`${pair.split("=")[0]}=; Max-Age=0; Path=/`);
  return [own(), await json("/who")];
});
