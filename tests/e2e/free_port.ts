/** A port of 127.0.0.1 that nobody has now: some addresses must be named before whoever has them listens. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
