import { check, frame, json, once, text } from "./harness.js";

const PATHS = [
  "/etag",
  "/date",
  "/max-age",
  "/immutable",
  "/no-store",
  "/private",
  "/expires",
  "/stale",
];

for (const path of PATHS) {
  await check(`${path} twice`, async () => {
    const [first, second] = [await text(path), await text(path)];
    return [await json("/asked"), first === second];
  });
}
await check("/vary", async () => {
  const kinds = ["a", "a", "b", "b"];
  const seen = [];
  for (const kind of kinds) seen.push(await text("/vary", { headers: { "x-kind": kind } }));
  return [seen, await json("/asked")];
});
for (const cache of ["no-cache", "reload", "no-store", "force-cache"]) {
  await check(
    `cache: ${cache}`,
    async () => [await text("/max-age", { cache }), await json("/asked")],
  );
}
await check(
  "only-if-cached",
  () => text("/etag", { cache: "only-if-cached", mode: "same-origin" }),
);
await check(
  "only-if-cached, unknown",
  () => text("/unknown", { cache: "only-if-cached", mode: "same-origin" }),
);

const target = await frame("/page");
await check("page", async () => (await json("/asked")).map((line) => line.split(" ")[0]).sort());
await check("second visit", async () => {
  const loaded = once(target, "load");
  target.src = "/page?second";
  await loaded;
  return (await json("/asked")).map((line) => line.split(" ").slice(0, 2).join(" ")).sort();
});
await check("reload", async () => {
  const loaded = once(target, "load");
  target.contentWindow.location.reload();
  await loaded;
  return (await json("/asked")).sort();
});
