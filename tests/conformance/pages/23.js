import { check, frame, text } from "./harness.js";

await check("is there", () => "serviceWorker" in navigator);
await check("registered", async () => {
  const registered = navigator.serviceWorker.register("/own_worker.js");
  return await registered.then(() => "registered", (error) => error.name);
});
await check("registrations", async () => (await navigator.serviceWorker.getRegistrations()).length);
await check("then fetch", () => text("/fine"));
await check(
  "then a frame",
  async () => (await frame("/frame")).contentDocument.querySelector("#p").textContent,
);
await check("gone again", async () => {
  for (const registration of await navigator.serviceWorker.getRegistrations()) {
    await registration.unregister();
  }
  return await text("/fine");
});
