import assert from "node:assert/strict";
import { Fixture, recordingLog, SHELL_HOST } from "./fixture.ts";

const KIB = 1024;
const UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

Deno.test("a head that is too long is answered, however long, and its cookies are taken away", async () => {
  const { log, lines } = recordingLog();
  await using fixture = await new Fixture({ log }).start();
  for (const bytes of [17 * KIB, 64 * KIB, 390 * KIB, 720 * KIB]) {
    for (const upgrade of ["", UPGRADE]) {
      const cookie = `bomb=${"secret".repeat(bytes / 6)}`;
      const answer = await fixture.raw(
        `GET /path?query HTTP/1.1\r\nHost: ${SHELL_HOST}\r\n${upgrade}Cookie: ${cookie}\r\n\r\n`,
      );
      assert.match(answer, /^HTTP\/1\.1 431 /);
      assert.match(answer, /\r\nClear-Site-Data: "cookies"\r\n/);
      assert.match(answer, /\r\nConnection: close\r\n/);
      const [, body] = answer.split("\r\n\r\n");
      const length = /Content-Length: (\d+)/.exec(answer)?.[1];
      assert.equal(new TextEncoder().encode(body).length, Number(length));
      assert.doesNotMatch(answer, /secret|bomb|path\?query|localhost/);
    }
  }
  assert.doesNotMatch(lines.join("\n"), /secret|bomb|query/);
});
