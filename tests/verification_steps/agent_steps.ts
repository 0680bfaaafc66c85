/** Checks of what a session may reach, and nothing before it is proved. */
import { type Step, stepsOf } from "./step.ts";

export const AGENT_STEPS: readonly Step[] = [
  ...stepsOf("src/agent/scope.ts", {
    "src/agent/scope_test.ts": [
      [
        "services in lists",
        "visible(services.list(), lentServices(access))",
        "services.list()",
        "scope lists to a guest what is lent, and to an owner everything",
      ],
      [
        "requests",
        "      check(request.head);\n",
        "",
        "a service that is not lent fails exactly like one that does not exist",
      ],
      [
        "sockets",
        "      check(head);\n",
        "",
        "a service that is not lent fails exactly like one that does not exist",
      ],
      [
        "cameras in lists",
        "visible(cameras.list(), lentCameras(access))",
        "cameras.list()",
        "a camera needs view, and one that is not lent is unknown without being opened",
      ],
      [
        "cameras",
        'if (!allowed) throw new CameraRefusal("unknown", "Cannot open a camera: no such id");',
        "",
        "a camera needs view, and one that is not lent is unknown without being opened",
      ],
      [
        "what is lent",
        "if (!has(list, head.service))",
        "if (false)",
        "a service that is not lent fails exactly like one that does not exist",
      ],
      [
        "view is not operate",
        'may(access, "operate") || onlyReads(head)',
        "true",
        "POST with view is refused, and with operate passes",
      ],
      [
        "no sockets for who may view",
        'kind === "http" && READING.has(method) &&',
        "READING.has(method) &&",
        "a WebSocket with view is refused, and with operate passes",
      ],
      [
        "methods that read",
        'kind === "http" && READING.has(method) &&',
        'kind === "http" &&',
        "POST with view is refused, and with operate passes",
      ],
      [
        "headers that change the method",
        "    !headers.some(([name]) => METHOD_OVERRIDES.has(name.toLowerCase()));",
        "    true;",
        "GET that says it is DELETE with view is refused, and with operate passes",
      ],
      [
        "cameras need view",
        'return may(access, "view") ? access.cameras : NONE;',
        "return access.cameras;",
        "a camera needs view, and one that is not lent is unknown without being opened",
      ],
      [
        "services need view or operate",
        'return may(access, "view") || may(access, "operate") ? access.services : NONE;',
        "return access.services;",
        "scope lists to a guest what is lent, and to an owner everything",
      ],
    ],
  }),
  ...stepsOf("src/agent/session.ts", {
    "src/agent/session_test.ts": [
      [
        "nothing before the proof",
        'if (this.#state.phase !== "live") {\n      throw new SessionEnd("protocol", `"${message.type}" came before the proof`);\n    }',
        'if (this.#state.phase !== "live") return;',
        "session refuses any message before the proof",
      ],
      [
        "a certificate of the other end",
        'if (remote === undefined) {\n      throw new SessionEnd("refused", "the other end showed no certificate");\n    }',
        "",
        "session without a certificate of the other end is refused",
      ],
      [
        "the certificate that was shown",
        "const remote = this.#peer.seenFingerprint();",
        "const remote = this.#admission.remote.fingerprint;",
        "session without a certificate of the other end is refused",
      ],
      [
        "the proof",
        "    await this.#proven.promise;\n",
        "",
        "session answers, proves, says hello, and opens the bulk channel only then",
      ],
      [
        "no answer once it ended",
        "    this.#ending.signal.throwIfAborted(); // no answer leaves for a session that control ended already\n",
        "",
        "session that control ended before it began answers nothing",
      ],
      [
        "nothing lasting once it ended",
        "    this.#ending.signal.throwIfAborted(); // nothing becomes lasting for a session that ends\n",
        "",
        "session that control ends beside the proof neither becomes lasting nor greets",
      ],
      [
        "the end by control",
        'ended.addEventListener("abort", cut, { once: true });',
        "",
        "session that control ends as expired tells the browser that word",
      ],
    ],
    "src/agent/session_proof_test.ts": [
      [
        "a proof that is done",
        "if (confirmation.done) this.#proven.resolve();",
        "this.#proven.resolve();",
        "session stays shut while the proof is not done, however many messages came",
      ],
      [
        "what control says at the door",
        "    await this.#admission.confirmed();\n",
        "    this.#admission.confirmed().catch(() => {});\n",
        "session that control refuses at the door opens nothing and greets nobody",
      ],
    ],
  }),
  ...stepsOf("src/agent/owner_relay.ts", {
    "src/agent/guest_test.ts": [
      [
        "a guest's questions",
        "if (desk === undefined) {",
        "if (desk === undefined && false) {",
        "a guest's questions of an owner are refused, each of them",
      ],
    ],
    "src/agent/owner_relay_test.ts": [
      [
        "how many at once",
        'if (this.#underWay >= MAX_OWNER_REQUESTS) return this.#refuse(id, "limit");',
        "",
        "relay refuses a question above the limit, and takes one again after a reply",
      ],
    ],
  }),
];
