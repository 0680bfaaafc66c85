import { all } from "./harness.js";

const answer = async (response) => [response.status, await response.json()];
const METHODS = ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "patch"];

await all({
  "GET": async () => answer(await fetch("/method")),
  "OPTIONS": async () => answer(await fetch("/method", { method: "OPTIONS" })),
  "DELETE without a body": async () => answer(await fetch("/method", { method: "DELETE" })),
  "POST without a body": async () => answer(await fetch("/method", { method: "POST" })),
  "POST of a form": async () =>
    answer(
      await fetch("/method", { method: "POST", body: new URLSearchParams({ a: "ü &", b: "" }) }),
    ),
  "POST of bytes": async () =>
    answer(await fetch("/method", { method: "POST", body: new Uint8Array([65, 0, 66]) })),
  "TRACE": () => fetch("/method", { method: "TRACE" }),
  ...Object.fromEntries(METHODS.map((method) => [
    method,
    async () => answer(await fetch("/method", { method, body: "b" })),
  ])),
  "HEAD": async () => {
    const response = await fetch("/head", { method: "HEAD" });
    const { status, headers } = response;
    return [status, headers.get("content-length"), headers.get("x-kept"), await response.text()];
  },
  ...Object.fromEntries([201, 202, 203, 204, 205, 206, 299, 304, 400, 404, 409, 418, 500, 599].map(
    (status) => [String(status), async () => {
      const response = await fetch(`/status/${status}`);
      return [response.status, await response.text()];
    }],
  )),
});
