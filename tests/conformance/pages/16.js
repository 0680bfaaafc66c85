import { all, check, inbox, json, once, PAUSE_MS, until } from "./harness.js";

await all({
  "lock step": async () => {
    const source = new EventSource("/steps");
    const next = inbox(source);
    let seen = 0;
    while (seen < 20) {
      const { data, lastEventId } = await next();
      if (data !== String(seen) || lastEventId !== data) return data;
      await fetch(`/seen?step=${seen}`);
      seen++;
      if (seen === 20) source.close();
    }
    return seen;
  },
  "kinds": async () => {
    const source = new EventSource("/kinds");
    const [nextPlain, nextNamed] = [inbox(source), inbox(source, "named")];
    const [plain, named] = [await nextPlain(), await nextNamed()];
    source.close();
    return [[plain.type, plain.data], [named.type, named.data]];
  },
  "reconnects": async () => {
    const source = new EventSource("/again");
    const next = inbox(source);
    const seen = [];
    while (seen.length < 3) seen.push((await next()).data);
    source.close();
    return seen;
  },
  "long silence": async () => {
    const source = new EventSource(`/silent?ms=${PAUSE_MS}`);
    const first = (await once(source, "message")).data;
    const second = await Promise.race([once(source, "message"), once(source, "error")]);
    source.close();
    return [first, second.data ?? second.type];
  },
  "204 ends it": async () => {
    const source = new EventSource("/end");
    await once(source, "error");
    return source.readyState;
  },
  "origin": async () => {
    const source = new EventSource("/kinds");
    const { origin } = await once(source, "message");
    source.close();
    return origin;
  },
});
await check("Last-Event-ID", () => json("/begun"));
await check("closed", () => until("/open", (open) => open === 0));
