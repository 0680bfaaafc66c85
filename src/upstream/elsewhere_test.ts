import { deepEqual, equal } from "node:assert/strict";
import { ELSEWHERE_HEADER } from "../protocol/http.ts";
import { nameElsewhere } from "./elsewhere.ts";
import { parseTarget } from "./target.ts";

const OTHERS = [
  { id: "socket", target: parseTarget("unix:/run/x.sock") },
  { id: "admin", target: parseTarget("https://192.168.1.5") },
  { id: "cam", target: parseTarget("http://192.168.1.5:8081") },
];

function named(location: string, status = 302): string | undefined {
  const head = nameElsewhere({ status, headers: [["Location", location]] }, OTHERS);
  equal(head.headers[0]?.[1], location, "the answer itself stays");
  return head.headers.find(([name]) => name === ELSEWHERE_HEADER)?.[1];
}

Deno.test("a redirect to another service names it, with the path byte for byte", () => {
  equal(named("https://192.168.1.5/a%2Fb?x=%20#y"), "admin /a%2Fb?x=%20#y");
  equal(named("https://192.168.1.5:443"), "admin /");
  equal(named("HTTP://192.168.1.5:8081?q"), "cam /?q");
  equal(named("http://192.168.1.5:8081//x"), "cam /.//x");
});

Deno.test("whatever else an answer says names nobody", () => {
  const others = [
    ...["/x", "//192.168.1.5:8081/x", "http://192.168.1.5/", "http://192.168.1.55:8081/", "x"],
    ...["http://192.168.1.5:8081@evil.example/", "http://evil.example/http://192.168.1.5:8081/"],
  ];
  for (const location of others) equal(named(location), undefined, location);
  equal(named("http://192.168.1.5:8081/", 200), undefined);
  deepEqual(nameElsewhere({ status: 302, headers: [] }, OTHERS), { status: 302, headers: [] });
});
