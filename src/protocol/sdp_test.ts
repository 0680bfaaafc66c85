import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex } from "../lib/bytes.ts";
import { ProtocolError } from "./errors.ts";
import {
  answerSdp,
  type H264Offer,
  type MediaAnswer,
  type MediaOffer,
  offerSdp,
  readMedia,
  readTransport,
  type TransportFields,
} from "./sdp.ts";

const HASH = "EA:2B:56:87:69:E5:1E:33:F7:C7:25:D6:05:11:6D:41:" +
  "95:60:86:3E:30:CA:D2:B8:2D:A9:C7:51:08:2C:53:4B";
const TRANSPORT: TransportFields = {
  ufrag: "EOXU",
  pwd: "oeTTW3reTEqd9+smgm7hilkH",
  fingerprint: fromHex(HASH.replaceAll(":", "").toLowerCase()),
  setup: "actpass",
};
const CODEC: H264Offer = {
  payloadType: 108,
  profileLevelId: "42E01f",
  packetizationMode: 1,
  rtx: 109,
};
const OFFER: MediaOffer = { mid: "1", camera: "front", codecs: [CODEC] };
const ANSWER: MediaAnswer = {
  mid: "1",
  active: true,
  codec: CODEC,
  ssrc: 1435082051,
  rtxSsrc: 2329648073,
  cname: "af6f5a93-511b-4f2c-a2ff-dd38d7e3752f",
};

function lines(...all: string[]): string {
  return all.join("\r\n") + "\r\n";
}

function transportLines(setup: string, mid: string): string[] {
  return [
    "c=IN IP4 0.0.0.0",
    "a=ice-ufrag:EOXU",
    "a=ice-pwd:oeTTW3reTEqd9+smgm7hilkH",
    "a=ice-options:trickle",
    `a=fingerprint:sha-256 ${HASH}`,
    `a=setup:${setup}`,
    `a=mid:${mid}`,
  ];
}

const APPLICATION = (setup: string) => [
  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
  ...transportLines(setup, "0"),
  "a=sctp-port:5000",
  "a=max-message-size:262144",
];
const FORMATS = [
  "a=rtpmap:108 H264/90000",
  "a=rtcp-fb:108 nack",
  "a=rtcp-fb:108 nack pli",
  "a=rtcp-fb:108 ccm fir",
  "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
  "a=rtpmap:109 rtx/90000",
  "a=fmtp:109 apt=108",
];

Deno.test("an offer without media is these lines", () => {
  const expected = lines(
    "v=0",
    "o=- 1 1 IN IP4 0.0.0.0",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    ...APPLICATION("actpass"),
  );
  assert.equal(offerSdp({ transport: TRANSPORT, media: [] }), expected);
});

Deno.test("an offer with a camera and an empty section is these lines", () => {
  const media: MediaOffer[] = [OFFER, { mid: "2", camera: null, codecs: [] }];
  const expected = lines(
    "v=0",
    "o=- 1 1 IN IP4 0.0.0.0",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0 1 2",
    ...APPLICATION("actpass"),
    "m=video 9 UDP/TLS/RTP/SAVPF 108 109",
    ...transportLines("actpass", "1"),
    "a=recvonly",
    "a=rtcp-mux",
    "a=rtcp-rsize",
    ...FORMATS,
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    ...transportLines("actpass", "2"),
    "a=inactive",
    "a=rtcp-mux",
    "a=rtcp-rsize",
    "a=rtpmap:96 H264/90000",
  );
  assert.equal(offerSdp({ transport: TRANSPORT, media }), expected);
});

Deno.test("an answer with a camera and an inactive section is these lines", () => {
  const transport: TransportFields = { ...TRANSPORT, setup: "passive" };
  const media: MediaAnswer[] = [ANSWER, { mid: "2", active: false }];
  const expected = lines(
    "v=0",
    "o=- 1 1 IN IP4 0.0.0.0",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0 1 2",
    ...APPLICATION("passive"),
    "m=video 9 UDP/TLS/RTP/SAVPF 108 109",
    ...transportLines("passive", "1"),
    "a=sendonly",
    "a=rtcp-mux",
    "a=rtcp-rsize",
    ...FORMATS,
    "a=msid:camera-1 video-1",
    "a=ssrc-group:FID 1435082051 2329648073",
    "a=ssrc:1435082051 cname:af6f5a93-511b-4f2c-a2ff-dd38d7e3752f",
    "a=ssrc:2329648073 cname:af6f5a93-511b-4f2c-a2ff-dd38d7e3752f",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    ...transportLines("passive", "2"),
    "a=inactive",
    "a=rtcp-mux",
    "a=rtcp-rsize",
    "a=rtpmap:96 H264/90000",
  );
  assert.equal(answerSdp({ transport, media }), expected);
});

Deno.test("what offerSdp writes, readTransport and readMedia read", () => {
  const media: MediaOffer[] = [
    {
      ...OFFER,
      codecs: [CODEC, { payloadType: 35, profileLevelId: "640028", packetizationMode: 0 }],
    },
    { mid: "x-2", camera: "back", codecs: [CODEC] },
  ];
  const sdp = offerSdp({ transport: TRANSPORT, media });
  assert.deepEqual(readTransport(sdp), TRANSPORT);
  const lower = (codec: H264Offer) => ({
    ...codec,
    profileLevelId: codec.profileLevelId.toLowerCase(),
  });
  assert.deepEqual(
    readMedia(sdp),
    media.map(({ mid, codecs }) => ({ mid, camera: null, codecs: codecs.map(lower) })),
  );
});

/**
 * The second offer of Chromium 156, its video section cut to one VP8 and three H.264 payload types.
 */
const CHROMIUM = lines(
  "v=0",
  "o=- 386661309307683082 3 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0 1",
  "a=extmap-allow-mixed",
  "a=msid-semantic: WMS",
  "m=application 48391 UDP/DTLS/SCTP webrtc-datachannel",
  "c=IN IP4 192.0.2.2",
  "a=candidate:4176306250 1 udp 2113937151 192.0.2.2 48391 typ host generation 0 network-cost 999",
  "a=ice-ufrag:EOXU",
  "a=ice-pwd:oeTTW3reTEqd9+smgm7hilkH",
  "a=ice-options:trickle",
  `a=fingerprint:sha-256 ${HASH}`,
  "a=setup:actpass",
  "a=mid:0",
  "a=sctp-port:5000",
  "a=max-message-size:262144",
  "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 107 116",
  "c=IN IP4 0.0.0.0",
  "a=rtcp:9 IN IP4 0.0.0.0",
  "a=ice-ufrag:EOXU",
  "a=ice-pwd:oeTTW3reTEqd9+smgm7hilkH",
  "a=ice-options:trickle",
  `a=fingerprint:sha-256 ${HASH}`,
  "a=setup:actpass",
  "a=mid:1",
  "a=extmap:1 urn:ietf:params:rtp-hdrext:toffset",
  "a=recvonly",
  "a=rtcp-mux",
  "a=rtcp-rsize",
  "a=rtpmap:96 VP8/90000",
  "a=rtcp-fb:96 goog-remb",
  "a=rtpmap:97 rtx/90000",
  "a=fmtp:97 apt=96",
  "a=rtpmap:102 H264/90000",
  "a=rtcp-fb:102 nack pli",
  "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f",
  "a=rtpmap:103 rtx/90000",
  "a=fmtp:103 apt=102",
  "a=rtpmap:104 H264/90000",
  "a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f",
  "a=rtpmap:107 rtx/90000",
  "a=fmtp:107 apt=104",
  "a=rtpmap:116 H264/90000",
);

Deno.test("Chromium's offer gives its transport and its ways to take H.264", () => {
  assert.deepEqual(readTransport(CHROMIUM), TRANSPORT);
  assert.deepEqual(readMedia(CHROMIUM), [{
    mid: "1",
    camera: null,
    codecs: [
      { payloadType: 102, profileLevelId: "42001f", packetizationMode: 1, rtx: 103 },
      { payloadType: 104, profileLevelId: "42001f", packetizationMode: 0, rtx: 107 },
      { payloadType: 116, profileLevelId: "42000a", packetizationMode: 0 }, // RFC 6184 8.1 defaults
    ],
  }]);
});

Deno.test("the header extension that asks for no delay is offered and answered by its number", () => {
  const uri = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";
  const offered = (number: string) =>
    readMedia(CHROMIUM.replace("a=recvonly", `a=extmap:${number} ${uri}\r\na=recvonly`))[0];
  assert.equal(offered("5")?.playoutDelay, 5);
  assert.equal(offered("5/recvonly")?.playoutDelay, 5);
  for (const number of ["0", "15", "255", "x"]) {
    assert.equal(offered(number)?.playoutDelay, undefined);
  }
  const answer = { ...ANSWER, active: true, playoutDelay: 5 } as MediaAnswer;
  const text = answerSdp({ transport: { ...TRANSPORT, setup: "passive" }, media: [answer] });
  assert.ok(text.includes(`\r\na=extmap:5 ${uri}\r\n`));
});

Deno.test("Firefox's form is read: fingerprint in front, spaces and another order in fmtp", () => {
  const sdp = lines(
    "v=0",
    "o=mozilla...THIS_IS_SDPARTA-99.0 4935 0 IN IP4 0.0.0.0",
    "s=-",
    "t=0 0",
    `a=fingerprint:sha-256 ${HASH}`,
    "a=group:BUNDLE 0 1",
    "a=ice-options:trickle",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "a=sendrecv",
    "a=ice-pwd:oeTTW3reTEqd9+smgm7hilkH",
    "a=ice-ufrag:EOXU",
    "a=mid:0",
    "a=setup:actpass",
    "a=sctp-port:5000",
    "m=video 9 UDP/TLS/RTP/SAVPF 126 127",
    "a=recvonly",
    "a=fmtp:126 profile-level-id=42e01f; level-asymmetry-allowed=1; packetization-mode=1",
    "a=fmtp:127 apt=126",
    "a=ice-pwd:oeTTW3reTEqd9+smgm7hilkH",
    "a=ice-ufrag:EOXU",
    "a=mid:1",
    "a=rtpmap:126 H264/90000",
    "a=rtpmap:127 rtx/90000",
    "a=setup:actpass",
  );
  assert.deepEqual(readTransport(sdp), TRANSPORT);
  assert.deepEqual(readMedia(sdp), [{
    mid: "1",
    camera: null,
    codecs: [{ payloadType: 126, profileLevelId: "42e01f", packetizationMode: 1, rtx: 127 }],
  }]);
});

Deno.test("a description that is cut anywhere is refused or read as a shorter one", () => {
  for (let length = 0; length < CHROMIUM.length; length++) {
    for (const read of [readTransport, readMedia]) {
      try {
        read(CHROMIUM.slice(0, length));
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${length}: ${error}`);
      }
    }
  }
});

Deno.test("sections that disagree about the transport are refused", () => {
  const swapped = CHROMIUM.replace(/a=ice-ufrag:EOXU/, "a=ice-ufrag:OTHER");
  assert.throws(() => readTransport(swapped), ProtocolError);
  const weak = CHROMIUM.replaceAll("sha-256", "sha-1");
  assert.throws(() => readTransport(weak), ProtocolError);
});

Deno.test("data channels must be in front, and what follows must be video", () => {
  assert.throws(() => readMedia(CHROMIUM.replace("a=mid:0", "a=mid:7")), ProtocolError);
  assert.throws(() => readMedia(CHROMIUM.replace("m=video", "m=audio")), ProtocolError);
});

const BAD_TRANSPORTS: Record<string, Partial<Record<keyof TransportFields, unknown>>> = {
  "a line break in the user fragment": { ufrag: "EOXU\r\na=ice-lite" },
  "a bare line feed in the password": { pwd: "oeTTW3reTEqd9+smgm7hilkH\na=x" },
  "a short user fragment": { ufrag: "EOX" },
  "a long user fragment": { ufrag: "a".repeat(257) },
  "a short password": { pwd: "a".repeat(21) },
  "a long password": { pwd: "a".repeat(257) },
  "a fingerprint of SHA-1": { fingerprint: new Uint8Array(20) },
  "a fingerprint that is text": { fingerprint: HASH },
  "a setup role with a tail": { setup: "active\r\na=x" },
  "an unknown setup role": { setup: "holdconn" },
  "a user fragment that is a list": { ufrag: ["EOXU"] },
};

for (const [name, change] of Object.entries(BAD_TRANSPORTS)) {
  Deno.test(`${name} is refused in offer and answer`, () => {
    const transport = { ...TRANSPORT, ...change } as TransportFields;
    assert.throws(() => offerSdp({ transport, media: [] }), ProtocolError);
    assert.throws(() => answerSdp({ transport, media: [] }), ProtocolError);
  });
}

const BAD_OFFERS: Record<string, unknown[]> = {
  "a header extension that no one-byte header holds": [{ ...OFFER, playoutDelay: 15 }],
  "a tag with a line break": [{ ...OFFER, mid: "1\r\na=x" }],
  "a tag with a space": [{ ...OFFER, mid: "1 2" }],
  "an empty tag": [{ ...OFFER, mid: "" }],
  "a long tag": [{ ...OFFER, mid: "m".repeat(17) }],
  "the tag of the data channels": [{ ...OFFER, mid: "0" }],
  "a tag used twice": [OFFER, OFFER],
  "seventeen sections": Array.from({ length: 17 }, (_, i) => ({ ...OFFER, mid: `m${i}` })),
  "seventeen codecs": [{
    ...OFFER,
    codecs: Array.from(
      { length: 17 },
      (_, i) => ({ ...CODEC, payloadType: 96 + i, rtx: undefined }),
    ),
  }],
  "a payload type of RTCP": [{ ...OFFER, codecs: [{ ...CODEC, payloadType: 72 }] }],
  "a static payload type": [{ ...OFFER, codecs: [{ ...CODEC, payloadType: 34 }] }],
  "a payload type beyond 127": [{ ...OFFER, codecs: [{ ...CODEC, payloadType: 128 }] }],
  "a payload type that is text": [{ ...OFFER, codecs: [{ ...CODEC, payloadType: "96" }] }],
  "a payload type that is not whole": [{ ...OFFER, codecs: [{ ...CODEC, payloadType: 96.5 }] }],
  "rtx on the codec's own type": [{ ...OFFER, codecs: [{ ...CODEC, rtx: 108 }] }],
  "a profile with a line break": [{ ...OFFER, codecs: [{ ...CODEC, profileLevelId: "42e01f\n" }] }],
  "packetisation mode 2": [{ ...OFFER, codecs: [{ ...CODEC, packetizationMode: 2 }] }],
  "a camera without a codec": [{ ...OFFER, codecs: [] }],
};

for (const [name, media] of Object.entries(BAD_OFFERS)) {
  Deno.test(`an offer with ${name} is refused`, () => {
    const offer = { transport: TRANSPORT, media: media as MediaOffer[] };
    assert.throws(() => offerSdp(offer), ProtocolError);
  });
}

const BAD_ANSWERS: Record<string, unknown[]> = {
  "a canonical name with a line break": [{ ...ANSWER, cname: "a\r\na=x" }],
  "an empty canonical name": [{ ...ANSWER, cname: "" }],
  "a long canonical name": [{ ...ANSWER, cname: "c".repeat(65) }],
  "source number 0": [{ ...ANSWER, ssrc: 0 }],
  "a source number of 33 bits": [{ ...ANSWER, ssrc: 2 ** 32 }],
  "one number for two sources": [{ ...ANSWER, rtxSsrc: 1435082051 }],
  "an rtx source without rtx": [{ ...ANSWER, codec: { ...CODEC, rtx: undefined } }],
  "rtx without a source": [{ ...ANSWER, rtxSsrc: undefined }],
  "neither active nor inactive": [{ mid: "1" }],
};

for (const [name, media] of Object.entries(BAD_ANSWERS)) {
  Deno.test(`an answer with ${name} is refused`, () => {
    const transport: TransportFields = { ...TRANSPORT, setup: "passive" };
    assert.throws(() => answerSdp({ transport, media: media as MediaAnswer[] }), ProtocolError);
  });
}

Deno.test("no text in any field adds a line", () => {
  const plain = offerSdp({ transport: TRANSPORT, media: [OFFER] }).split("\r\n").length;
  fc.assert(fc.property(
    fc.constantFrom("ufrag", "pwd", "mid", "profileLevelId"),
    fc.string({ unit: "binary", maxLength: 40 }),
    (field, text) => {
      const transport = { ...TRANSPORT, ...(field in TRANSPORT ? { [field]: text } : {}) };
      const codecs = [field === "profileLevelId" ? { ...CODEC, profileLevelId: text } : CODEC];
      const media = [{ ...OFFER, codecs, ...(field === "mid" ? { mid: text } : {}) }];
      try {
        assert.equal(offerSdp({ transport, media }).split(/\r\n|\r|\n/).length, plain);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    },
  ));
});
