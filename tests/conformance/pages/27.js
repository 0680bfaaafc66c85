import { check } from "./harness.js";

await check("stored", async () => {
  document.cookie = "conf27=1; path=/";
  localStorage.setItem("conf27", "stored");
  await caches.open("conf27");
  const request = indexedDB.open("conf27");
  await new Promise((resolve) => request.onsuccess = resolve);
  request.result.close();
  return true;
});
