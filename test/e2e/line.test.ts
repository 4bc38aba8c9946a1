// The whole line as a person walks it: run, rollouts, reading, an override in the viewer, training, and what became of the override.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Frame, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { frameWith, openWorkbench, ownErrors, runCommand, screenshot, type Workbench } from "../../scripts/browser.ts";
import { type DemoBridge, startBridge } from "../../scripts/demoBridge.ts";
import { startHost, themes, type VscodeHost } from "../../scripts/vscodeHost.ts";
import { effectiveScore } from "../../src/protocol/effective.ts";
import { Datum } from "../../src/protocol/engine.ts";
import type { Iteration, StepSample } from "../../src/protocol/model.ts";

import { eventually } from "../vscode/testing.ts";

const root = path.resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(path.join(os.tmpdir(), "touchline-line-"));
const author = "Ada";
const reason = "Checked by hand against the task.";

let bridge: DemoBridge;
let host: VscodeHost;
let workbench: Workbench;

beforeAll(async () => {
  bridge = await startBridge(path.join(folder, "bridge"));
  const env = { TOUCHLINE_URL: bridge.url, TOUCHLINE_TOKEN: bridge.token };
  host = await startHost({ extensionPath: root, env, settings: { "touchline.author": author } });
  workbench = await openWorkbench(host.url);
}, 180_000);

afterAll(async () => {
  await workbench?.close();
  await host?.close();
  await bridge?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The answer to a question of VS Code's quick input: a row to choose, or text to type. */
async function answerPrompt(page: Page, answer: { row: string } | { text: string }): Promise<void> {
  const widget = page.locator(".quick-input-widget");
  if ("row" in answer) await widget.locator(".monaco-list-row", { hasText: answer.row }).first().click();
  else {
    await widget.locator("input").first().fill(answer.text);
    await page.keyboard.press("Enter");
  }
}

/** The iteration, once it is in one of these states. */
const untilState = (iterationId: string, states: readonly Iteration["state"][]) =>
  eventually(
    `an iteration is ${states.join(" or ")}`,
    async () => {
      const iteration = await bridge.client.request("iteration/get", { iterationId });
      if (iteration.state === "failed") throw new Error(`Iteration ${iteration.index} failed: ${iteration.message}`);
      return states.includes(iteration.state) ? iteration : undefined;
    },
    240_000,
  );

/** What the engine received for an action: the sample's record, and the advantage of each token in the stored request. */
async function trainedWith(iterationId: string, actionId: string) {
  const { steps } = await bridge.client.request("step/list", { iterationId });
  for (const step of steps) {
    const place = step.samples.findIndex((sample) => sample.actionId === actionId);
    const sample: StepSample | undefined = step.samples[place];
    if (sample === undefined) continue;
    const body = JSON.parse(await blobText(step.batchBlob)) as { data: unknown[] };
    return { step, sample, datum: Datum.parse(body.data[place]) };
  }
  throw new Error(`No optimiser step of ${iterationId} used ${actionId}.`);
}

async function blobText(sha256: string): Promise<string> {
  const parts: Buffer[] = [];
  for (let offset = 0, total = 1; offset < total; ) {
    const part = await bridge.client.request("blob/get", { sha256, offset });
    parts.push(Buffer.from(part.base64, "base64"));
    offset += parts.at(-1)?.length ?? 0;
    total = part.total;
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Nothing of a page is wider than the page. */
const overflow = (frame: Frame) =>
  frame.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const treeRow = (page: Page, text: string) => page.locator(".pane-body .monaco-list-row", { hasText: text }).first();

test("an override made where the score is read is in the store, in the advantages and in the optimiser step", async () => {
  const { page } = workbench;
  await page.locator(".activitybar .action-label[aria-label^='Touchline']").first().click();
  await page.locator(".pane-body .monaco-button", { hasText: "New Run…" }).click({ timeout: 60_000 });
  await answerPrompt(page, { text: "With an override" });
  await answerPrompt(page, { row: "Small maths team" });
  await answerPrompt(page, { text: "arithmetic" });
  await treeRow(page, "With an override").waitFor({ timeout: 30_000 });
  await runCommand(page, "Touchline: Start Iteration…");
  await answerPrompt(page, { row: "wait for my review" });

  const iterationId = await eventually("the iteration is started", async () => {
    const run = (await bridge.client.request("run/list", {})).items.find((item) => item.name === "With an override");
    if (run === undefined) return undefined;
    return (await bridge.client.request("iteration/list", { runId: run.id })).items[0]?.id;
  });
  await untilState(iterationId, ["reviewing"]);

  // The person finds the iteration in the tree and opens its first trajectory.
  const iterationRow = treeRow(page, "Iteration 1");
  if (!(await iterationRow.isVisible())) await treeRow(page, "With an override").click();
  await iterationRow.click();
  const first = page.locator(".pane-body .monaco-list-row[aria-level='3'][aria-label*='mean']").first();
  await first.waitFor({ timeout: 30_000 });
  await first.click();
  const viewer = await frameWith(
    page,
    ".action[data-index='1'] .scoreChip, .action[data-index='1'] [aria-label*='core']",
  );
  const row = viewer.locator(".action[data-index='1']");
  await row.locator(".actionHead").click();

  const trajectories = await bridge.client.request("trajectory/list", { iterationId, purpose: "train" });
  const title = await viewer.locator(".titleLine").innerText();
  const shown = trajectories.items.filter((one) => title.includes(one.title.slice(0, 20)));
  const marked = await Promise.all(
    shown.map(async (one) => (await bridge.client.request("action/list", { trajectoryId: one.id })).items[1]),
  );
  expect(marked.length).toBeGreaterThan(0);

  const coachValue = Number((await row.locator(".chipText").innerText()).replace(/[^\d.]/g, ""));
  const value = coachValue >= 5 ? 0 : 10;
  await row.locator(".scale label", { hasText: new RegExp(`^${value}$`) }).click();
  await row.locator(".consequence", { hasText: "advantage" }).waitFor({ timeout: 15_000 });
  await row.locator(".reasonInput").fill(reason);
  await screenshot(page, "override");
  await row.getByRole("button", { name: `Save ${value}` }).click();
  await row.locator(".chipText", { hasText: "→" }).waitFor({ timeout: 15_000 });

  const views = await Promise.all(
    shown.map(async (one) => (await bridge.client.request("action/list", { trajectoryId: one.id })).items[1]),
  );
  const view = views.find((one) => one?.scores.some((score) => score.kind === "override"));
  if (view === undefined) throw new Error("The override is not in the store.");
  const { override, coach } = effectiveScore(view.scores);
  expect(override).toMatchObject({ value, author, rationale: reason, basedOn: coach?.id });
  expect(Math.abs(Date.now() - Date.parse(override?.at ?? ""))).toBeLessThan(120_000);
  expect(coach?.value).toBe(coachValue);

  await runCommand(page, "Touchline: Finish Review and Train");
  const done = await untilState(iterationId, ["done"]);
  const trained = await trainedWith(iterationId, view.action.id);
  expect(trained.sample).toMatchObject({ scoreId: override?.id, isOverride: true, reward: value / 10 });
  expect(done.agents.find((agent) => agent.agent === view.action.agent)?.overrideCount).toBe(1);

  // The same run without the override: same rollout, other numbers.
  const other = await bridge.client.request("run/create", { name: "Without it" });
  const { id: otherId } = await bridge.client.request("iteration/start", { runId: other.id });
  await untilState(otherId, ["done"]);
  const twinId = view.action.id.replace(iterationId, otherId);
  const { action: twin } = await bridge.client.request("action/get", { actionId: twinId });
  expect(twin.text).toBe(view.action.text);
  const untouched = await trainedWith(otherId, twinId);
  expect(untouched.datum.tokenIds).toEqual(trained.datum.tokenIds);
  expect(untouched.sample).toMatchObject({ isOverride: false, reward: coachValue / 10 });
  expect(Math.sign(trained.sample.advantage - untouched.sample.advantage)).toBe(Math.sign(value - coachValue));
  expect(trained.datum.advantages).not.toEqual(untouched.datum.advantages);

  // And the person sees what became of it.
  await row.locator(".reasons", { hasText: /iteration 1/i }).waitFor({ timeout: 30_000 });
});

test("the pages are whole in all four kinds of theme, and nothing is written to the console as an error", async () => {
  const { page } = workbench;
  await runCommand(page, "Touchline: Open Training");
  const training = await frameWith(page, ".chartDrawing");
  const viewer = await frameWith(page, ".action[data-index='1']");
  for (const theme of themes) {
    await host.setSettings({ "touchline.author": author, "workbench.colorTheme": theme });
    await page.waitForTimeout(2500);
    await screenshot(page, `line-${theme.toLowerCase().replaceAll(" ", "-")}`);
    expect([theme, await overflow(training), await overflow(viewer)]).toEqual([theme, 0, 0]);
  }
  expect(ownErrors(workbench.consoleErrors)).toEqual([]);
});
