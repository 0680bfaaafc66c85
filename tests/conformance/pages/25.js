import { check, text } from "./harness.js";

await check("first visit", () => text("/fine"));
