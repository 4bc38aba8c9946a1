// The extension is there, starts quickly, and registers what its manifest promises.
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { test } from "./testing.ts";
import { touchline } from "./trainer.ts";

interface Manifest {
  readonly activationEvents: readonly string[];
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string; readonly category: string }[];
    readonly keybindings: readonly { readonly command: string; readonly when: string }[];
    readonly viewsWelcome: readonly { readonly contents: string }[];
  };
}

const manifest = (): Manifest => vscode.extensions.getExtension("touchline.touchline")?.packageJSON;

test("the extension is installed and activates", async () => {
  const extension = vscode.extensions.getExtension("touchline.touchline");
  assert.ok(extension, "touchline.touchline is not installed");
  await extension.activate();
  assert.equal(extension.isActive, true);
});

test("it says how long its own code took to activate, for the bench to judge", async () => {
  const { activationMs } = await touchline();
  console.log(`activation: ${activationMs.toFixed(1)} ms`);
  assert.ok(Number.isFinite(activationMs) && activationMs > 0, `${activationMs} ms`);
});

test("nothing activates it but its own views, commands, links and tabs", () => {
  for (const event of manifest().activationEvents) assert.match(event, /^on(Uri$|WebviewPanel:touchline\.)/);
});

test("every command of the manifest is registered, and every registered one is in the manifest", async () => {
  await touchline();
  const contributed = manifest().contributes.commands.map(({ command }) => command);
  const registered = (await vscode.commands.getCommands(true)).filter((name) => /^touchline\.\w+$/.test(name));
  // VS Code itself registers `<view>.focus` and the like, which have a second dot.
  const views = ["touchline.runs", "touchline.queue", "touchline.policies", "touchline.trajectory"];
  assert.deepEqual(registered.filter((name) => !views.includes(name)).sort(), [...contributed].sort());
});

test("every command has a title in words and the category Touchline", () => {
  for (const { title, category } of manifest().contributes.commands) {
    assert.doesNotMatch(title, /^%/);
    assert.equal(category, "Touchline");
  }
});

test("keys act only while a Trajectory page has the focus, and name commands that exist", () => {
  const known = new Set(manifest().contributes.commands.map(({ command }) => command));
  for (const { command, when } of manifest().contributes.keybindings) {
    assert.ok(known.has(command), command);
    assert.equal(when, "touchline.trajectoryFocused");
  }
});

test("the first steps name commands that exist", () => {
  const known = new Set(manifest().contributes.commands.map(({ command }) => command));
  const links = manifest().contributes.viewsWelcome.flatMap(({ contents }) => [
    ...contents.matchAll(/command:(touchline\.\w+)/g),
  ]);
  assert.ok(links.length > 5);
  for (const [, command] of links) assert.ok(command !== undefined && known.has(command), command);
});
