import { mkdtempSync } from "node:fs";
import { openWorkbench, runCommand, frameWith, screenshot, ownErrors } from "/work/main/scripts/browser.ts";
import { startBridge } from "/work/main/scripts/demoBridge.ts";
import { startHost } from "/work/main/scripts/vscodeHost.ts";
const data = mkdtempSync("/tmp/tl-explore-");
const t0 = Date.now(); const log = (...a: unknown[]) => console.log(((Date.now()-t0)/1000).toFixed(1), ...a);
const bridge = await startBridge(data + "/bridge"); log("bridge");
const host = await startHost({ extensionPath: "/work/main", env: { TOUCHLINE_URL: bridge.url, TOUCHLINE_TOKEN: bridge.token }, theme: "Default Dark Modern" }); log("host");
try {
  const run = await bridge.client.request("run/create", { name: "Demo", seed: 1 });
  const r = await bridge.client.request("rollout/start", { runId: run.id, taskCount: 12, concurrency: 12 }); log("rollouts", r);
  const wb = await openWorkbench(host.url); log("workbench");
  const shot = (n: string) => screenshot(wb.page, n, "/tmp/explore");
  await wb.page.locator(".activitybar .action-label[aria-label^='Touchline']").first().click();
  const row = wb.page.locator(".pane-body .monaco-list-row", { hasText: "Demo" }).first();
  await row.waitFor({ timeout: 60000 }); log("row"); await shot("1-tree");
  await row.click(); await wb.page.waitForTimeout(1500); await shot("2-tree-open");
  const roll = wb.page.locator(".pane-body .monaco-list-row", { hasText: "Rollouts" }).first();
  if (await roll.count()) { await roll.click(); await wb.page.waitForTimeout(1500); }
  await shot("3-rollouts");
  const rows = wb.page.locator(".pane-body .monaco-list-row[aria-level='3']");
  log("rows", await rows.count());
  await rows.first().click(); await wb.page.waitForTimeout(4000); await shot("4-trajectory");
  await runCommand(wb.page, "Touchline: Open Trajectory in Tab"); await wb.page.waitForTimeout(3000); await shot("5-tab");
  await runCommand(wb.page, "Touchline: Open Training"); await wb.page.waitForTimeout(3000); await shot("6-training");
  await bridge.client.request("iteration/start", { runId: run.id, repeat: 4 });
  for (let i = 0; i < 8; i++) { await wb.page.waitForTimeout(4000); const l = await bridge.client.request("iteration/list", { runId: run.id }); log(l.items.map(i => `${i.index}:${i.state}:${i.evaluationBefore?.rate?.toFixed(2)}->${i.evaluationAfter?.rate?.toFixed(2)} ${JSON.stringify(i.timings)}`).join(" | ")); }
  await shot("7-training-live");
  log(JSON.stringify(ownErrors(wb.consoleErrors)).slice(0, 3000));
  await wb.close();
} finally { await host.close(); await bridge.close(); log("closed"); }
