import { check, text } from "./harness.js";

await check("bytes", async () => (await text("/file")).length);
