// Puts an imported file into the store in batches; trajectories that are already there are counted and left as they are.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { bridgeContract } from "../../src/protocol/bridge.ts";
import type { Result } from "../../src/protocol/contract.ts";
import type { Run } from "../../src/protocol/model.ts";
import type { Store, WholeTrajectory } from "../store/store.ts";
import type { Imported, Importer, LongCall } from "./rooms.ts";

/** Actions put into the store in one transaction: few enough that other requests do not wait long. */
const BATCH_ACTIONS = 400;
/** Problems told to the client; the rest are counted. */
const MAX_PROBLEMS = 200;

type ImportResult = Result<typeof bridgeContract, "import/finish">;

/** Reads the file and stores what is new. Cancelling keeps the batches that are stored and says so. */
export async function importInto(
  store: Store,
  importer: Importer,
  file: { fileName: string; bytes: Uint8Array; runId?: string | undefined },
  call: LongCall,
): Promise<ImportResult> {
  const name = baseName(file.fileName);
  call.progress({ done: 0, total: 0, message: `Reading ${name}` });
  await nextTurn();
  const imported = await importer(name, file.bytes, name);
  const problems = [...imported.problems];
  if (imported.trajectories.length === 0 || imported.run === null) {
    return {
      runId: null,
      format: imported.format,
      trajectories: 0,
      actions: 0,
      duplicates: 0,
      problems: told(problems),
    };
  }
  const run = targetRun(store, imported.run, file.runId);
  const total = imported.trajectories.length;
  let [done, added, actions, duplicates] = [0, 0, 0, 0];
  let batch: WholeTrajectory[] = [];
  const flush = async () => {
    if (batch.length > 0) store.addTrajectories(batch);
    added += batch.length;
    actions += batch.reduce((sum, entry) => sum + entry.actions.length, 0);
    batch = [];
    call.progress({ done, total, message: `${added} trajectories kept` });
    await nextTurn();
  };
  for (const entry of imported.trajectories) {
    if (call.signal.aborted) break;
    done += 1;
    if (store.hasTrajectory(entry.trajectory.id)) duplicates += 1;
    else batch.push(run.id === entry.trajectory.runId ? entry : inRun(entry, run.id));
    if (batch.reduce((sum, waiting) => sum + waiting.actions.length, 0) >= BATCH_ACTIONS) await flush();
  }
  await flush();
  if (call.signal.aborted) {
    problems.unshift({
      where: name,
      message: `Cancelled: ${total - done} of ${total} trajectories were not read. The ${added} kept ones stay; import the file again for the rest.`,
    });
  }
  return { runId: run.id, format: imported.format, trajectories: added, actions, duplicates, problems: told(problems) };
}

function targetRun(store: Store, run: NonNullable<Imported["run"]>, runId: string | undefined): Run {
  if (runId !== undefined) return store.run(runId);
  const { id, name, kind, workflow, agents, config } = run;
  return store.createRun({ id, name, kind, workflow, agents, config });
}

function inRun(entry: WholeTrajectory, runId: string): WholeTrajectory {
  return {
    trajectory: { ...entry.trajectory, runId },
    actions: entry.actions.map((row) => ({
      action: { ...row.action, runId },
      tokens: row.tokens,
      scores: row.scores.map((score) => ({ ...score, runId })),
    })),
  };
}

/** The name of a file without the folders of whoever sent it. */
function baseName(fileName: string): string {
  return fileName.split(/[\\/]/).at(-1) || "import";
}

function told(problems: readonly { where: string; message: string }[]): { where: string; message: string }[] {
  const shown = problems
    .slice(0, MAX_PROBLEMS)
    .map(({ where, message }) => ({ where: where.slice(0, 200), message: message.slice(0, 500) }));
  const left = problems.length - shown.length;
  return left > 0 ? [...shown, { where: "import", message: `and ${left} more problems` }] : shown;
}
