/** Checks of what must hold on disk. */
import { type Step, stepsOf } from "./step.ts";

export const STORE_STEPS: readonly Step[] = [
  ...stepsOf("src/store/owners.ts", {
    "src/store/store_test.ts": [
      [
        "a claim once",
        "return Number(changes) === 1;\n  }\n\n  /** One who",
        "return true;\n  }\n\n  /** One who",
        "store keeps an owner over a restart and refuses the claim a second time",
      ],
      [
        "the key under an id",
        "if (known && !equalBytes(known.publicKey, owner.publicKey))",
        "if (false)",
        "store keeps the date of an owner who pairs again and never swaps the key under an id",
      ],
    ],
  }),
  ...stepsOf("src/store/store.ts", {
    "src/store/store_test.ts": [
      [
        "a used claim adds nobody",
        'if (!this.#owners.consume(cti, owner.createdAt)) return "already_used";',
        "this.#owners.consume(cti, owner.createdAt);",
        "store keeps an owner over a restart and refuses the claim a second time",
      ],
      [
        "a removed owner's epoch",
        "      this.#issuers.changeEpoch(keyId);\n",
        "",
        "store removes an owner and changes its epoch, so that a new pairing revives nothing",
      ],
    ],
    "src/store/grants_test.ts": [
      [
        "no guest without room",
        "if (refusal) return refusal;",
        "",
        "store lets as many guests redeem an invite as it has uses, and those again",
      ],
      [
        "old statements",
        'if (isStale) return isRevoked ? "already_revoked" : "stale_statement";',
        "",
        "store takes each signed statement once, in order, for each issuer",
      ],
      [
        "a revoked grant",
        'if (this.#revocations.has(grant.id)) return "used_up";',
        "",
        "store revokes for good, with a line, once",
      ],
      [
        "another invite with its id",
        'if (!equalBytes(registered.token, grant.token)) return "used_up";',
        "",
        "store gives an invite no use to another key under the same id, nor to another invite",
      ],
      [
        "another key with a guest's id",
        'equalBytes(known.publicKey, guest.publicKey) ? "known" : "used_up"',
        '"known"',
        "store gives an invite no use to another key under the same id, nor to another invite",
      ],
      [
        "the uses of an invite",
        'return this.#guests.count(grant.id) >= registered.uses ? "used_up" : undefined;',
        "return undefined;",
        "store lets as many guests redeem an invite as it has uses, and those again",
      ],
    ],
  }),
  ...stepsOf("src/store/issuers.ts", {
    "src/store/grants_test.ts": [
      [
        "statements in order",
        "if (sequence <= this.lastStatement(issuer)) return false;",
        "",
        "store takes each signed statement once, in order, for each issuer",
      ],
    ],
  }),
  ...stepsOf("src/store/transaction.ts", {
    "src/store/store_test.ts": [
      [
        "both or neither",
        "    takeBack(database);\n",
        '    database.prepare("COMMIT").run();\n',
        "store takes a claim back when its owner or its line cannot be added",
      ],
    ],
  }),
];
