// A bridge to be killed: goes on with the training in its folder, overrides scores as they come, and tells each thing once it is stored.
import { workflow } from "../../trainer-bridge/workflow/workflow.ts";
import { openTrainingRooms, smallConfig } from "./trainingRooms.ts";

const ITERATIONS = 2;
const OVERRIDE_EVERY = 7;

const dir = process.argv[2];
if (dir === undefined) throw new Error("Give the folder.");
const withOverrides = process.argv[3] === "overrides";

/** Pipes of a process are written before `write` returns, so a line that was told is out even when SIGKILL follows. */
const tell = (line: string) => process.stdout.write(`${line}\n`);

const rooms = await openTrainingRooms(dir);
const { store, trainer, engine } = rooms;
let scored = 0;
store.onEvent((event) => {
  if (event.kind === "engine/changed" && event.data.state === "ready") tell(`engine ${engine.pid()}`);
  if (event.kind === "trajectory/changed" && event.data.outcome.kind === "completed") tell(`finished ${event.data.id}`);
  if (event.kind === "iteration/changed") tell(`state ${event.data.id} ${event.data.state}`);
  if (event.kind === "step/applied") tell(`step ${event.data.id} ${event.data.seq}`);
  if (event.kind !== "score/added" || event.data.kind !== "score" || !withOverrides) return;
  if (++scored % OVERRIDE_EVERY !== 0) return;
  const { actionId, id, value } = event.data;
  // After the store has finished telling: a listener must not write from within an announcement.
  setImmediate(() => {
    const requestId = `override-${actionId}`;
    if (store.scores(actionId).some((score) => score.kind === "override")) return;
    const override = { requestId, actionId, value: value === null ? 5 : 10 - value, rationale: "test", author: "Ada" };
    store.setOverride({ ...override, basedOn: id, tags: [] });
    tell(`override ${requestId}`);
  });
});
await trainer.resumeUnfinished();
const [run] = store.runs({ cursor: null, limit: 1 }).items;
if (run === undefined) {
  const team = workflow("tiny-math");
  const made = trainer.createRun({ name: "killed", workflow: team.name, taskSet: "arithmetic", seed: 1 });
  await trainer.start(made.id, smallConfig, ITERATIONS - 1);
} else if (store.iterations(run.id, { cursor: null, limit: 1 }).items.length === 0) {
  await trainer.start(run.id, smallConfig, ITERATIONS - 1);
}
await trainer.idle();
const last = store.unfinishedIterations();
await rooms.close();
tell(`idle ${last.length}`);
process.exit(0);
