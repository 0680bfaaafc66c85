import { all, check, json, text } from "./harness.js";

await check("64 at once", async () => {
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, n) => text(`/weak?n=${n}`).catch((error) => error.name)),
  );
  return answers.filter((answer, n) => answer === `number ${n}`).length;
});
await check("two at a time", async () => await json("/most") <= 2);
await all({
  "slow head": async () => {
    const response = await fetch("/slow");
    return [await response.text(), response.headers.get("x-slow")];
  },
  "100 and 103": () => text("/hints"),
  "POST with 100 and 103": () => text("/hints", { method: "POST", body: "x" }),
  "trailers": async () => {
    const response = await fetch("/trailers");
    return [await response.text(), response.headers.get("x-late")];
  },
  ...Object.fromEntries([8_000, 20_000, 60_000].map((length) => [
    `header of ${length}`,
    async () => (await fetch(`/long/${length}`)).headers.get("x-long")?.length ?? null,
  ])),
  "200 headers": async () => (await fetch("/many/200")).headers.get("x-many-199"),
  "request header of 20000": () => json("/request", { headers: { "x-long": "v".repeat(20_000) } }),
  "answer before the body": async () =>
    (await fetch("/early", { method: "POST", body: "x".repeat(1000) })).status,
});
