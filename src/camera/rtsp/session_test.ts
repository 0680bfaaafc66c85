import { deepEqual, equal, match, ok } from "node:assert/strict";
import { utf8 } from "../../lib/bytes.ts";
import { RtspParser } from "./message.ts";
import {
  ANSWER_LIMIT_MS,
  FIRST_DATAGRAM_LIMIT_MS,
  MEDIA_LIMIT_MS,
  RtspSession,
  type SessionOutput,
} from "./session.ts";
import type { Delivery } from "./transport.ts";

const URL = "rtsp://cam/s";
const SDP =
  "v=0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t0\r\n";
const DIGEST = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"';

/** A session, and a camera that says what the test tells it. */
class Stage {
  readonly session: RtspSession;
  now = 0;
  #parser = new RtspParser();
  #sequence = 0;

  constructor(delivery: Delivery = { type: "tcp" }) {
    const credentials = { user: "u", password: "hunter2" };
    this.session = new RtspSession({ url: URL, credentials, delivery, clientNonce: "c" });
  }

  start(): string[] {
    this.session.start(this.now);
    return this.drain();
  }

  /** The camera answers; the first line of each request and every other output is given. */
  answer(status: number, ...headers: string[]): string[] {
    return this.say(`RTSP/1.0 ${status} x\r\nCSeq: ${this.#sequence}\r\n${headers.join("\r\n")}`);
  }

  describe(sdp = SDP): string[] {
    const head = `RTSP/1.0 200 x\r\nCSeq: ${this.#sequence}\r\nContent-Length: ${sdp.length}`;
    return this.say(head, sdp);
  }

  say(head: string, body = ""): string[] {
    const text = `${head.trimEnd()}\r\n\r\n${body}`;
    for (const item of this.#parser.push(utf8(text))) this.session.receive(this.now, item);
    return this.drain();
  }

  wait(ms: number): string[] {
    this.now += ms;
    this.session.tick(this.now);
    return this.drain();
  }

  drain(): string[] {
    const seen: string[] = [];
    for (let next = this.session.poll(); next !== undefined; next = this.session.poll()) {
      seen.push(this.#name(next));
    }
    return seen;
  }

  #name(output: SessionOutput): string {
    if (output.type === "end") {
      const { reason } = output;
      if (reason.type === "error") return `end ${reason.error.code} ${reason.error.message}`;
      return reason.type === "redirect" ? `redirect ${reason.url}` : reason.type;
    }
    if (output.type !== "transmit") return output.type;
    const text = new TextDecoder().decode(output.bytes);
    this.#sequence = Number(/^CSeq: (\d+)/m.exec(text)?.[1] ?? this.#sequence);
    return text.trim().replaceAll("\r\n", " | ").replaceAll("User-Agent: porthole", "UA");
  }
}

function playing(delivery?: Delivery): Stage {
  const stage = new Stage(delivery);
  stage.start();
  stage.answer(200, "Public: DESCRIBE, GET_PARAMETER");
  stage.describe();
  stage.answer(200, "Session: 77;timeout=30", "Transport: RTP/AVP/TCP;interleaved=4-5");
  stage.answer(200);
  return stage;
}

Deno.test("a session goes from OPTIONS to PLAY", () => {
  const stage = new Stage();
  deepEqual(stage.start(), ["OPTIONS rtsp://cam/s RTSP/1.0 | CSeq: 1 | UA"]);
  deepEqual(stage.answer(200), [
    "DESCRIBE rtsp://cam/s RTSP/1.0 | CSeq: 2 | UA | Accept: application/sdp",
  ]);
  deepEqual(stage.describe(), [
    "SETUP rtsp://cam/s/t0 RTSP/1.0 | CSeq: 3 | UA | Transport: RTP/AVP/TCP;unicast;interleaved=0-1",
  ]);
  deepEqual(stage.answer(200, "Session: 77"), [
    "ready",
    "PLAY rtsp://cam/s RTSP/1.0 | CSeq: 4 | UA | Session: 77 | Range: npt=0.000-",
  ]);
  deepEqual(stage.answer(200), []);
  stage.session.stop(0);
  deepEqual(stage.drain(), ["TEARDOWN rtsp://cam/s RTSP/1.0 | CSeq: 5 | UA | Session: 77"]);
});

Deno.test("UDP ports are asked for by number", () => {
  const stage = new Stage({ type: "udp", ports: [5000, 5001] });
  stage.start();
  stage.answer(200);
  match(stage.describe()[0]!, /Transport: RTP\/AVP;unicast;client_port=5000-5001$/);
});

Deno.test("a challenge is answered once; a second 401 is a wrong password", () => {
  const stage = new Stage();
  stage.start();
  stage.answer(200);
  match(stage.answer(401, DIGEST)[0]!, /^DESCRIBE .*Authorization: Digest username="u"/);
  const [end] = stage.answer(401, DIGEST);
  match(end!, /^end unauthorised /);
  ok(!end!.includes("hunter2"));
});

Deno.test("a camera whose nonce is always stale is given up", () => {
  const stage = new Stage();
  stage.start();
  let asked = 0;
  for (let last = ""; !last.startsWith("end"); asked++) {
    [last = "end"] = stage.answer(401, `${DIGEST.replace('"n"', `"n${asked}"`)}, stale=true`);
    ok(asked < 5);
  }
});

Deno.test("a nonce that grows old while playing is renewed", () => {
  const stage = new Stage();
  stage.start();
  stage.answer(401, DIGEST);
  stage.answer(200, "Public: GET_PARAMETER");
  stage.describe();
  stage.answer(200, "Session: 1;timeout=10");
  stage.answer(200);
  match(stage.wait(5000)[0]!, /^GET_PARAMETER .*nc=00000005/);
  match(
    stage.answer(401, DIGEST.replace('"n"', '"m"'))[0]!,
    /^GET_PARAMETER .*nonce="m".*nc=00000001/,
  );
  deepEqual(stage.answer(200), []);
});

Deno.test("packets reach their channel once it is set up", () => {
  const stage = playing();
  deepEqual(stage.say("$\u0004\u0000\u0001x".trim()).slice(0, 1), ["rtp"]);
  const early = new Stage();
  early.start();
  early.session.receive(0, { type: "interleaved", channel: 0, bytes: new Uint8Array(20) });
  deepEqual(early.drain(), []);
});

Deno.test("keep-alive comes in time, by the method that the camera takes", () => {
  const stage = playing();
  stage.session.mediaArrived(0);
  stage.now = 14_999;
  stage.session.mediaArrived(14_999);
  deepEqual(stage.wait(0), []);
  match(stage.wait(1)[0]!, /^GET_PARAMETER rtsp:\/\/cam\/s .*Session: 77/);
  deepEqual(stage.answer(501), []);
  stage.now = 29_999;
  stage.session.mediaArrived(29_999);
  match(stage.wait(1)[0]!, /^OPTIONS /);
  match(stage.answer(454)[0]!, /^end broken .*454/);
});

Deno.test("an unanswered keep-alive leaves no deadline in the past", () => {
  const stage = new Stage();
  stage.start();
  stage.answer(200);
  stage.describe();
  stage.answer(200, "Session: 1;timeout=1");
  stage.answer(200);
  for (let now = 0; now < 9000; now = stage.session.deadline()) {
    stage.now = now;
    stage.session.mediaArrived(now);
    stage.wait(0);
    ok(stage.session.deadline() > now, `at ${now}`);
  }
});

Deno.test("silence ends a session by name", () => {
  const mute = new Stage();
  mute.start();
  equal(mute.session.deadline(), ANSWER_LIMIT_MS);
  match(mute.wait(ANSWER_LIMIT_MS)[0]!, /^end unreachable .*OPTIONS/);
  equal(mute.session.deadline(), Infinity);
  match(playing().wait(MEDIA_LIMIT_MS)[0]!, /^end broken .*nothing for/);
});

Deno.test("every refusal has its code", () => {
  const codes = [[403, "unauthorised"], [404, "unreachable"], [453, "busy"], [
    500,
    "broken",
  ]] as const;
  for (const [status, code] of codes) {
    const stage = new Stage();
    stage.start();
    stage.answer(501); // OPTIONS is a courtesy
    match(stage.answer(status)[0]!, RegExp(`^end ${code} .*${status} to DESCRIBE`));
  }
});

Deno.test("a refused transport and a redirect are told to the driver", () => {
  const refused = new Stage();
  refused.start();
  refused.answer(200);
  refused.describe();
  deepEqual(refused.answer(461), ["transport-refused"]);
  const moved = new Stage();
  moved.start();
  deepEqual(moved.answer(302, "Location: rtsp://cam/new"), ["redirect rtsp://cam/new"]);
});

Deno.test("answers to nothing and interim answers are ignored", () => {
  const stage = new Stage();
  stage.start();
  deepEqual(stage.say("RTSP/1.0 200 OK\r\nCSeq: 99"), []);
  deepEqual(stage.answer(100), []);
  match(stage.answer(200)[0]!, /^DESCRIBE/);
});

Deno.test("a camera's own questions are answered", () => {
  const stage = playing();
  deepEqual(stage.say("GET_PARAMETER * RTSP/1.0\r\nCSeq: 8"), ["RTSP/1.0 200 OK | CSeq: 8"]);
  const odd = stage.say("ANNOUNCE rtsp://x/ RTSP/1.0\r\nCSeq: 1; x");
  deepEqual(odd, ["RTSP/1.0 501 Not Implemented"]);
});

Deno.test("a session id that cannot be sent back is refused", () => {
  const stage = new Stage();
  stage.start();
  stage.answer(200);
  stage.describe();
  match(stage.answer(200, "Session: ;timeout=5")[0]!, /^end broken .*session/);
});

Deno.test("a Content-Base with another host is read for its path, and the plain address comes next", () => {
  const stage = new Stage();
  stage.start();
  stage.answer(200);
  const sdp = SDP.replace("a=control:*\r\n", "");
  const [setup] = stage.say(
    "RTSP/1.0 200 x\r\nCSeq: 2\r\nContent-Base: rtsp://0.0.0.0:8554/live/\r\n" +
      `Content-Length: ${sdp.length}`,
    sdp,
  );
  match(setup!, /^SETUP rtsp:\/\/cam\/live\/t0 /);
  match(stage.answer(404)[0]!, /^SETUP rtsp:\/\/cam\/s\/t0 /);
  match(stage.answer(200, "Session: 7")[1]!, /^PLAY rtsp:\/\/cam\/s /);
  stage.answer(200);
  const lost = new Stage();
  lost.start();
  lost.answer(200);
  lost.describe();
  match(lost.answer(404)[0]!, /^end unreachable .*404 to SETUP/);
});

Deno.test("a camera without aggregate control is asked to play its track", () => {
  const stage = new Stage();
  stage.start();
  stage.answer(200);
  stage.describe();
  stage.answer(200, "Session: 7");
  match(stage.answer(459)[0]!, /^PLAY rtsp:\/\/cam\/s\/t0 .*Session: 7/);
  deepEqual(stage.answer(200), []);
  stage.session.stop(0);
  match(stage.drain()[0]!, /^TEARDOWN rtsp:\/\/cam\/s\/t0 /);
  const stubborn = new Stage();
  stubborn.start();
  stubborn.answer(200);
  stubborn.describe();
  stubborn.answer(200, "Session: 7");
  stubborn.answer(459);
  match(stubborn.answer(459)[0]!, /^end broken .*459 to PLAY/);
});

Deno.test("silence by UDP is tried by TCP, silence after pictures is none", () => {
  const ports = { type: "udp", ports: [5000, 5001] } as const;
  deepEqual(playing(ports).wait(FIRST_DATAGRAM_LIMIT_MS), ["transport-refused"]);
  const worked = playing(ports);
  worked.session.mediaArrived(worked.now);
  deepEqual(worked.wait(FIRST_DATAGRAM_LIMIT_MS).filter((one) => one.startsWith("end")), []);
  match(worked.wait(MEDIA_LIMIT_MS).at(-1)!, /^end broken .*nothing for/);
});

Deno.test("a camera that names a new nonce with each answer is followed", () => {
  const stage = new Stage();
  stage.start();
  stage.answer(200);
  const steps: [string, () => string[]][] = [
    ["DESCRIBE", () => stage.describe()],
    ["SETUP", () => stage.answer(200, "Session: 7").slice(1)],
    ["PLAY", () => stage.answer(200)],
  ];
  let asked = stage.drain();
  steps.forEach(([method, goOn], index) => {
    asked = stage.answer(401, DIGEST.replace('"n"', `"n${index}"`));
    match(asked[0]!, new RegExp(`^${method} .*nonce="n${index}"`));
    asked = goOn();
  });
  deepEqual(asked, []);
});

Deno.test("a session that the camera forgot is broken, and comes again", () => {
  const stage = playing();
  stage.now = 14_000;
  stage.session.mediaArrived(stage.now);
  match(stage.wait(1000)[0]!, /^GET_PARAMETER/);
  match(stage.answer(454)[0]!, /^end broken .*forgot the session/);
});
