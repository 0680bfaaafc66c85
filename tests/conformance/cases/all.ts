/** The cases in their order. */
import type { Case } from "../case.ts";
import { answerHeaders, bodies, cuts, redirects } from "./answers.ts";
import { challenges, formLogin, logout } from "./logins.ts";
import { breaks, neighbours, visits, weakDevices } from "./roads.ts";
import { downloads, events, flow, pictures, ranges, uploadAbort, uploads } from "./streams.ts";
import { absolute, cache, frames, ownWorker, policies, savedFiles } from "./pages.ts";
import { latency, sockets, workers } from "./sockets.ts";
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
  uploads,
  uploadAbort,
  downloads,
  cuts,
  savedFiles,
  ranges,
  events,
  sockets,
  workers,
  pictures,
  cache,
  policies,
  frames,
  ownWorker,
  absolute,
  visits,
  breaks,
  neighbours,
  weakDevices,
  latency,
  flow,
];
