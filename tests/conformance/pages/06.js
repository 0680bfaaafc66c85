import { all, check, frame, json, message, once, orNothing, text } from "./harness.js";

const CODES = [301, 302, 303, 307, 308];
const PLACES = ["relative", "absolute", "whole", "scheme", "fragment", "query", "empty", "spaces"];

const short = (url) => url.replace(location.origin, "HERE");

async function followed(path, init) {
  const response = await fetch(path, init);
  const { method, body } = await response.json();
  return [response.redirected, method, body, short(response.url)];
}

await all({
  ...Object.fromEntries(CODES.flatMap((code) => [
    [`${code} GET`, () => followed(`/to/${code}/absolute`)],
    [`${code} POST`, () => followed(`/to/${code}/absolute`, { method: "POST", body: "body" })],
    [`${code} PUT`, () => followed(`/to/${code}/absolute`, { method: "PUT", body: "body" })],
  ])),
  ...Object.fromEntries(PLACES.map((place) => [
    `to ${place}`,
    async () => {
      const response = await fetch(`/to/302/${place}`);
      return [response.status, response.redirected, short(response.url)];
    },
  ])),
  "manual": async () => {
    const { type, status } = await fetch("/to/302/absolute", { redirect: "manual" });
    return [type, status];
  },
  "error": () => fetch("/to/302/absolute", { redirect: "error" }),
  "no location": async () => [(await fetch("/no-location")).status, await text("/no-location")],
  "chain of 15": async () => short((await fetch("/chain/15")).url),
  "chain of 25": () => fetch("/chain/25"),
  "endless": () => fetch("/to/302/self"),
  "image": async () => {
    const image = new Image();
    image.src = "/to/302/absolute";
    return (await Promise.race([once(image, "load"), once(image, "error")])).type;
  },
  "to another device by fetch": async () => (await fetch("/to/302/other")).status,
  "to another device by frame": async () => {
    const heard = orNothing(message("other"));
    document.body.append(Object.assign(document.createElement("iframe"), { src: "/to/302/other" }));
    return await heard;
  },
});

for (const place of [...PLACES, "not-ascii"]) {
  if (place === "empty") continue; // a frame that goes round and round
  await check(`frame to ${place}`, async () => {
    const { contentDocument } = await frame(`/to/302/${place}`);
    return [short(contentDocument.URL), contentDocument.querySelector("#arrived")?.textContent];
  });
}

for (const code of CODES) {
  await check(`form by ${code}`, async () => {
    const target = await frame("about:blank", { name: `form${code}` });
    const form = document.createElement("form");
    Object.assign(form, { action: `/to/${code}/absolute`, method: "post", target: `form${code}` });
    form.innerHTML = `<input name="a" value="b">`;
    document.body.append(form);
    const loaded = once(target, "load");
    form.submit();
    await loaded;
    return target.contentDocument.querySelector("#arrived").textContent;
  });
}

await check("cookies on the way", async () => {
  await fetch("/chain/3");
  return `conf6=${(await json("/arrived")).cookie}`;
});
