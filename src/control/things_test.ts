import assert from "node:assert/strict";
import { Things } from "./things.ts";

/** Numbers in the order in which they are asked for, as a store gives them. */
function records() {
  const given = new Map<string, number>();
  return {
    given,
    numberOf(kind: string, id: string): number {
      const name = `${kind} ${id}`;
      if (!given.has(name)) given.set(name, given.size + 1);
      return given.get(name)!;
    },
  };
}

const ALL = { services: ["ui", "printer"], cameras: ["front"] };

Deno.test("things are lent by numbers that outlive the configuration", () => {
  const store = records();
  const scope = new Things(store, ALL).scopeOf({
    services: ["printer", "ui", "ui"],
    cameras: ["front"],
    operations: ["view", "operate"],
  });
  assert.deepEqual(scope, { services: [1, 2], cameras: [3], operations: ["view", "operate"] });
  const later = new Things(store, { services: ["new", "ui"], cameras: ["front"] });
  assert.deepEqual(later.idsOf(scope), { services: ["ui"], cameras: ["front"] });
  const back = new Things(store, ALL);
  assert.deepEqual(back.idsOf(scope), ALL);
});

Deno.test("things that there are not cannot be lent, and people are told what there is", () => {
  const things = new Things(records(), ALL);
  const wish = { services: [], cameras: [], operations: ["view"] } as const;
  assert.throws(() => things.scopeOf({ ...wish, services: ["uo"] }), {
    name: "RangeError",
    message: "Cannot lend: there is no service 'uo'. There is: ui, printer",
  });
  assert.throws(() => things.scopeOf({ ...wish, cameras: ["ui"] }), /no camera 'ui'.*: front/);
  assert.throws(() => things.scopeOf(wish), /name a service or camera/);
  assert.throws(
    () => things.scopeOf({ ...wish, cameras: ["front"], operations: [] }),
    /what may be done/,
  );
  const services = Array.from({ length: 40 }, (_, i) => `s${i}`);
  const many = new Things(records(), { services, cameras: [] });
  assert.throws(() => many.scopeOf({ ...wish, services }), /32 services at most/);
});
