/** A test of one UI: skipped with a line if the UI is not on this machine, else the program, the road to it, and a person. */
import { chromiumMissing } from "../e2e/browser.ts";
import { type Program, type ProgramPlan, startProgram, uiMissing } from "./program.ts";
import { Stage } from "./stage.ts";

/** What a person does, and what is asserted of it. */
export type Visit = (stage: Stage, program: Program) => Promise<void>;

/** Registers the test. `name` is the service's id; `sentence` says what a person does. */
export async function testUi(
  name: string,
  { sentence, plan, visit }: { sentence: string; plan: ProgramPlan; visit: Visit },
): Promise<void> {
  const lack = await uiMissing(name, plan.needs) ?? await chromiumMissing();
  Deno.test({
    name: sentence,
    ignore: lack !== undefined,
    sanitizeOps: false, // playwright keeps handles of its own until the process ends
    sanitizeResources: false,
    async fn() {
      await using program = await startProgram(plan);
      await using stage = await Stage.start(name, program.url);
      try {
        await visit(stage, program);
      } catch (error) {
        for (const [index, page] of stage.shell.page.context().pages().entries()) {
          await stage.picture(`failed_${index}`, page).catch(() => {}); // it may be gone
        }
        throw error;
      }
      await stage.finish();
    },
  });
}
