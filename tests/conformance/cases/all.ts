/** The cases in their order. */
import type { Case } from "../case.ts";
import { answerHeaders, bodies, cuts, redirects } from "./answers.ts";
import { challenges, formLogin, logout } from "./logins.ts";
import { methods, requestHeaders, urls } from "./requests.ts";

export const CASES: readonly Case[] = [
  urls,
  methods,
  requestHeaders,
  answerHeaders,
  bodies,
  redirects,
  formLogin,
  logout,
  challenges,
  cuts,
];
