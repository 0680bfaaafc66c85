import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { VisibleCookie } from "./cookie_jar.ts";
import { type CookieState, encodeCookieState, parseCookieState } from "./cookie_state.ts";
import { encodeCookieWrites, MAX_WRITES, parseCookieWrites } from "./cookie_writes.ts";
import { FIELD_VALUE } from "./http.ts";
import {
  encodeLoginAnswer,
  encodeLoginQuestion,
  parseLoginAnswer,
  parseLoginQuestion,
} from "./login.ts";

const COOKIE: VisibleCookie = { name: "a", value: "1é", path: "/", life: 1000, secure: true };
const STATE: CookieState = {
  tag: "0badc0de.7",
  cookies: [COOKIE, { ...COOKIE, name: "", life: undefined }],
  hidden: [],
};
const HIDDEN: CookieState = {
  ...STATE,
  hidden: [{ name: "s", path: "/", life: undefined }, { name: "t", path: "/x", life: 5 }],
};
const STATE_TEXT = '["0badc0de.7",[["a","1é","/",1000,true],["","1é","/",null,true]]]';

Deno.test("a state of cookies has one form, and fits into a header", () => {
  equal(encodeCookieState(STATE), STATE_TEXT);
  ok(FIELD_VALUE.test(STATE_TEXT));
  deepEqual(parseCookieState(STATE_TEXT), STATE);
  equal(encodeCookieState(HIDDEN), `${STATE_TEXT.slice(0, -1)},[["s","/",null],["t","/x",5]]]`);
  deepEqual(parseCookieState(encodeCookieState(HIDDEN)), HIDDEN);
});

Deno.test("a state that is cut, too long or of something else is none", () => {
  for (let end = 0; end < STATE_TEXT.length; end++) {
    equal(parseCookieState(STATE_TEXT.slice(0, end)), undefined);
  }
  const row = ["a", "1", "/", null, false];
  const others: readonly unknown[] = [
    ...[
      {},
      ["-"],
      ["-", [], 1],
      ["-", [], [["a", "/"]]],
      ["-", [], [], []],
      ["x y", []],
      ["-", [["a"]]],
      ["-", [{ ...row }]],
      ["-", {}],
    ],
    ["-", Array(181).fill(row)],
    ["-", [["a", "1", "/", 0.5, false]]],
    ["-", [["a", "x".repeat(50_000), "/", null, false]]],
  ];
  for (const value of others) equal(parseCookieState(JSON.stringify(value)), undefined);
  equal(parseCookieState(undefined), undefined);
  ok(parseCookieState(JSON.stringify(["-", [row]])));
});

Deno.test("writes and logins come back as they were, and nothing else is read as them", () => {
  const writes = [{ path: "/a", date: 1, line: "a=1; Path=/ü" }];
  deepEqual(parseCookieWrites(encodeCookieWrites(writes)), writes);
  deepEqual(parseCookieWrites("[]"), []);
  const bad = [
    ...["", "{}", "[1]", '[["a",1,"b"]]', '[["/",null,"b"]]', '[["/",1,2]]', '[["/",1]]'],
    JSON.stringify(Array(MAX_WRITES + 1).fill(["/", 1, "a"])),
    JSON.stringify([["/", 1, "a".repeat(9000)]]),
  ];
  for (const text of bad) equal(parseCookieWrites(text), undefined, text.slice(0, 40));
  const answer = { realm: 'a "b"', user: "u", password: "p\n" };
  deepEqual(parseLoginAnswer(encodeLoginAnswer(answer)), answer);
  for (const text of ["", "[]", "[1,2,3]", '["a","b"]']) equal(parseLoginAnswer(text), undefined);
  deepEqual(parseLoginQuestion(encodeLoginQuestion({ realm: "r", refused: true })), {
    realm: "r",
    refused: true,
  });
  for (const text of ["", "[]", "[1,true]"]) equal(parseLoginQuestion(text), undefined);
});

Deno.test("random text is never read as more than it is", () => {
  fc.assert(fc.property(fc.json(), (text) => {
    parseCookieState(text);
    parseCookieWrites(text);
    parseLoginAnswer(text);
    parseLoginQuestion(text);
  }));
});
