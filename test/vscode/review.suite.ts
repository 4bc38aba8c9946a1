// A person connects, reads and overrides, with and without the trainer; a real bridge and a real page.
import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { ActionView } from "../../src/protocol/bridge.ts";
import { effectiveScore } from "../../src/protocol/effective.ts";
import type { Trajectory } from "../../src/protocol/model.ts";
import { test as anyTest, eventually } from "./testing.ts";
import { chatFile, Trainer, touchline } from "./trainer.ts";

/** In Restricted Mode the other suite runs. */
const test: typeof anyTest = (...args) => {
  if (vscode.workspace.isTrusted) anyTest(...args);
};

const trainer = new Trainer();
let trajectory: Trajectory;

const state = async (wanted: string) => {
  const { parts } = await touchline();
  await eventually(`the connection is ${wanted}`, () => (parts.link.status.state === wanted ? true : undefined));
};

async function actions(): Promise<ActionView[]> {
  const { parts } = await touchline();
  return (await parts.link.request("action/list", { trajectoryId: trajectory.id })).items;
}

const decision = (actionId: string, value: number, basedOn: string | null = null) => ({
  ...{ actionId, trajectoryId: trajectory.id, value, rationale: "The sum is right.", author: "Ada", basedOn },
});

test("a wrong token says what to do and is not tried again", async () => {
  const { parts, connectionText } = await touchline();
  await trainer.start();
  await assert.rejects(parts.link.connect(trainer.destination(() => "wrong")));
  assert.equal(parts.link.status.state, "failed");
  assert.match(connectionText(), /refused the token.*Connect again with the token/s);
});

test("it connects to a real bridge", async () => {
  const { parts, connectionText } = await touchline();
  await parts.link.connect(trainer.destination());
  assert.equal(parts.link.status.state, "connected");
  assert.match(connectionText(), /^Connected/);
});

test("an imported chat shows in the Runs tree without a reload, and in the Review Queue", async () => {
  const { parts } = await touchline();
  assert.deepEqual(await parts.runs.getChildren(), []);
  await vscode.commands.executeCommand("touchline.importTrajectories", chatFile());
  const run = await eventually("the run is in the tree", async () => (await parts.runs.getChildren())[0]);
  assert.equal(run.kind, "run");
  const [row] = await parts.runs.getChildren(run);
  assert.ok(row?.kind === "trajectory", `the run holds ${row?.kind}`);
  trajectory = row.trajectory;
  assert.equal(trajectory.actionCount, 2);
  const item = parts.runs.getTreeItem(row);
  assert.equal(item.contextValue, "trajectory");
  const queue = await parts.queue.getChildren();
  assert.deepEqual(
    queue.map((one) => [one.trajectory.id, one.reasons]),
    [[trajectory.id, ["missingScores"]]],
  );
});

test("importing the same file again adds nothing", async () => {
  const { parts } = await touchline();
  await vscode.commands.executeCommand("touchline.importTrajectories", chatFile());
  const { counts } = await parts.link.request("status/get", {});
  assert.equal(counts.trajectories, 1);
});

test("opening a trajectory draws the page in the side panel", async () => {
  const { parts } = await touchline();
  await vscode.commands.executeCommand("touchline.openTrajectory", trajectory.id);
  const page = await eventually("the page asks for its snapshot", () =>
    parts.places.current?.isDrawn === true ? parts.places.current : undefined,
  );
  assert.equal(page.trajectoryId, trajectory.id);
});

test("a trajectory opens in a tab, and as text with headings", async () => {
  await vscode.commands.executeCommand("touchline.openTrajectoryInTab", trajectory.id);
  const tab = await eventually("the tab is there", () =>
    vscode.window.tabGroups.all
      .flatMap(({ tabs }) => tabs)
      .find(({ input }) => input instanceof vscode.TabInputWebview),
  );
  await vscode.commands.executeCommand("touchline.openAsText", trajectory.id);
  const text = vscode.window.activeTextEditor?.document.getText() ?? "";
  assert.match(text, /^## Action 1, Solver, turn 1: no score$/m);
  assert.match(text, /24 \+ 18 = 42/);
  await vscode.window.tabGroups.close(tab);
});

test("an override reaches the store with author and reason, and is undone there", async () => {
  const { parts } = await touchline();
  const [first] = await actions();
  assert.ok(first);
  const { score } = await parts.overrides.set(decision(first.action.id, 0));
  assert.ok(score);
  const stored = effectiveScore((await actions())[0]?.scores ?? []).override;
  assert.deepEqual([stored?.value, stored?.author, stored?.rationale], [0, "Ada", "The sum is right."]);
  await parts.overrides.undo(first.action.id, score.id, "Ada");
  assert.equal(effectiveScore((await actions())[0]?.scores ?? []).override, null);
});

test("an override while the bridge is killed waits here and lands in the store when it is back", async () => {
  const { parts } = await touchline();
  const [, second] = await actions();
  assert.ok(second);
  await trainer.kill();
  await state("offline");
  const { queued, score } = await parts.overrides.set(decision(second.action.id, 9));
  assert.equal(score, null);
  assert.equal(queued?.state, "queued");
  assert.equal(parts.overrides.waiting(trajectory.id).length, 1);
  await trainer.start();
  parts.link.retryNow();
  await state("connected");
  await eventually("nothing waits any more", () => (parts.overrides.waiting().length === 0 ? true : undefined));
  const stored = effectiveScore((await actions())[1]?.scores ?? []).override;
  assert.deepEqual([stored?.value, stored?.author], [9, "Ada"]);
}, 60_000);

test("an override based on a record that is no longer in effect is a conflict, with both values", async () => {
  const { parts } = await touchline();
  const [, second] = await actions();
  assert.ok(second);
  await assert.rejects(
    parts.overrides.set(decision(second.action.id, 2, null)),
    (error: Error & { data?: unknown }) => {
      assert.equal((error.data as { current?: { value?: number } }).current?.value, 9);
      return true;
    },
  );
});

test("a command that needs a trainer says so when there is none, and changes nothing", async () => {
  const { parts } = await touchline();
  parts.link.disconnect();
  assert.deepEqual(await parts.runs.getChildren(), []);
  // The command ends; its message waits for the person.
  await vscode.commands.executeCommand("touchline.startIteration");
  await trainer.kill();
});
