import assert from "node:assert/strict";
import { request } from "node:http";
import { exposition } from "./exposition.ts";
import { serveMetrics } from "./server.ts";

Deno.test("the text is Prometheus's, and no label can leave its quotes", () => {
  const text = exposition([
    { name: "a_total", help: "All.", kind: "counter", samples: [{ value: 3 }] },
    { name: "none", help: "None.", kind: "gauge", samples: [] },
    {
      name: "b",
      help: "Each.",
      kind: "gauge",
      samples: [{ value: 0.5, labels: { camera: 'x"} 1\n# "\\', of: "max" } }],
    },
  ]);
  assert.equal(
    text,
    "# HELP a_total All.\n# TYPE a_total counter\na_total 3\n" +
      '# HELP b Each.\n# TYPE b gauge\nb{camera="x\\"} 1\\n# \\"\\\\",of="max"} 0.5\n',
  );
});

function get(
  port: number,
  path: string,
  method = "GET",
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    request({ port, path, method, host: "127.0.0.1", agent: false }, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8").on("data", (part) => text += part);
      incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, text }));
    }).on("error", reject).end();
  });
}

Deno.test("the server gives metrics, the event loop's lag among them, and nothing else", async () => {
  const sample = { name: "x", help: "X.", kind: "gauge", samples: [{ value: 7 }] } as const;
  const server = await serveMetrics({ host: "127.0.0.1", port: 0 }, () => [sample]);
  const { status, text } = await get(server.port, "/metrics");
  assert.equal(status, 200);
  assert.match(text, /^x 7$/m);
  assert.match(text, /^porthole_event_loop_lag_max_seconds [\d.e-]+$/m);
  assert.equal((await get(server.port, "/")).status, 404);
  assert.equal((await get(server.port, "/metrics", "POST")).status, 404);
  await assert.rejects(
    serveMetrics({ host: "127.0.0.1", port: server.port }, () => []),
    /Cannot serve metrics on 127.0.0.1:\d+: stop what has it, or change 'metrics'/,
  );
  await server.close();
});
