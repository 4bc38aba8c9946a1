// In Restricted Mode a person reads; overrides, imports and run control wait for trust. Runs only in a host without trust.
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { test as anyTest } from "./testing.ts";
import { Trainer, touchline } from "./trainer.ts";

const test: typeof anyTest = (...args) => {
  if (!vscode.workspace.isTrusted) anyTest(...args);
};

const trainer = new Trainer();

test("it connects to a trainer and may read, and nothing more", async () => {
  const { parts } = await touchline();
  await trainer.start();
  await parts.link.connect(trainer.destination());
  assert.deepEqual(parts.link.status.capabilities, ["read"]);
  assert.deepEqual((await parts.link.request("run/list", {})).items, []);
});

test("the bridge itself refuses what was not granted", async () => {
  const { parts } = await touchline();
  await assert.rejects(parts.link.request("run/create", { name: "by a restricted window" }));
  assert.deepEqual((await parts.link.request("run/list", {})).items, []);
});

test("commands that change something end without doing it", async () => {
  const { parts } = await touchline();
  for (const name of ["newRun", "startIteration", "startRollouts", "importTrajectories", "startLocalTrainer"]) {
    await vscode.commands.executeCommand(`touchline.${name}`);
  }
  assert.deepEqual((await parts.link.request("run/list", {})).items, []);
  assert.equal(parts.link.status.label, "the suite's trainer");
  parts.link.disconnect();
  await trainer.kill();
});

test("a workspace cannot say where the trainer or Python is", () => {
  const restricted: string[] =
    vscode.extensions.getExtension("touchline.touchline")?.packageJSON.capabilities.untrustedWorkspaces
      .restrictedConfigurations;
  for (const setting of ["touchline.bridgeUrl", "touchline.python"]) assert.ok(restricted.includes(setting));
  for (const name of ["bridgeUrl", "python"]) {
    assert.equal(vscode.workspace.getConfiguration("touchline").inspect(name)?.workspaceValue, undefined);
  }
});
