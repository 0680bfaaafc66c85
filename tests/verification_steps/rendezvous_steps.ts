/** Checks of the rendezvous that keep people's way to their device open: who registers, who comes, how often. */
import { type Step, stepsOf } from "./step.ts";

export const RENDEZVOUS_STEPS: readonly Step[] = [
  ...stepsOf("src/rendezvous/device_connection.ts", {
    "src/rendezvous/rendezvous_test.ts": [
      [
        "the key that registers",
        "if (!await verify(key, registrationText(nonce, key), signature)) {",
        "if (false) {",
        "a device with a signature of another key or another challenge is refused",
      ],
      [
        "how often a person comes",
        "this.#people.take(person, now)",
        "true",
        "a tag that many bear lets through as many as one person is, and the others as strangers",
      ],
      [
        "a person's places",
        "this.#peers.countOf(person) < placesOfPerson",
        "true",
        "strangers give way to each other and not in place of people, of whom nobody has more than a person's places",
      ],
      [
        "strangers' rate",
        "this.#newcomers.take({ device, address, now })",
        "true",
        "browsers that are new to a device are limited, in all and from one address",
      ],
      [
        "offers of those who are in",
        "peer && !isOffer(sealed) ? peer : this.#welcome(letter, registration)",
        "peer ?? this.#welcome(letter, registration)",
        "a stranger who is in makes one more offer like any stranger",
      ],
      [
        "characters of one browser",
        "!sender?.budget.take(this.#desk.now(), { amount: sealed.length })",
        "sender === undefined",
        "a browser whose message was dropped is forgotten by the device",
      ],
    ],
  }),
  ...stepsOf("src/rendezvous/peers.ts", {
    "src/rendezvous/rendezvous_test.ts": [
      [
        "strangers first",
        "strangers.length > 0 ? strangers : all",
        "all",
        "strangers give way to each other and not in place of people, of whom nobody has more than a person's places",
      ],
    ],
  }),
  ...stepsOf("src/rendezvous/people.ts", {
    "src/rendezvous/people_test.ts": [
      [
        "offers alone",
        " || head[0] !== OFFER",
        "",
        "what is no offer has no person, however long it is",
      ],
    ],
  }),
  ...stepsOf("src/protocol/signal.ts", {
    "src/protocol/signal_test.ts": [
      [
        "whole tags",
        "Math.floor((value as string).length * 3 / 4) % SHORT_TAG_BYTES === 0",
        "true",
        "signal messages take whole short tags, and no more than 1024",
      ],
    ],
  }),
  ...stepsOf("src/control/passes.ts", {
    "src/control/passes_test.ts": [
      [
        "those who are gone",
        ".filter((tag) => this.#people.has(holders.get(tag)!))",
        "",
        "passes tell short tags of all their people for each nonce, and of nobody else who could come",
      ],
      [
        "tags of nobody",
        "tags.length === 0 || tags.length % TAGS_TOLD > 0",
        "false",
        "passes do not tell how many people there are, nor which tags are theirs",
      ],
      [
        "the order of tags",
        "told.sort()",
        "told",
        "passes do not tell how many people there are, nor which tags are theirs",
      ],
    ],
  }),
];
