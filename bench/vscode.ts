// Figures inside a real VS Code with 100,000 actions at the bridge: activation, a click until it can be read, what the page holds.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { CDPSession, Page } from "playwright-core";
import { frameWith, openWorkbench } from "../scripts/browser.ts";
import { startBridge } from "../scripts/demoBridge.ts";
import { runProgram } from "../scripts/stage.ts";
import { startHost } from "../scripts/vscodeHost.ts";
import type { Figure } from "./figure.ts";
import { addLongTrajectory, fillStore } from "./support/largeStore.ts";

const root = path.resolve(import.meta.dirname, "..");
const LONG = "ten-thousand";

/** Measures the shipped (minified) build. */
export async function run(): Promise<Figure[]> {
  if ((await runProgram(process.execPath, ["esbuild.mjs", "--production", "--log-level=error"])) !== 0)
    throw new Error("The build failed.");
  const dir = mkdtempSync(path.join(os.tmpdir(), "touchline-bench-vscode-"));
  const data = path.join(dir, "bridge");
  fillStore(data, 90_000);
  addLongTrajectory(data, LONG, 10_000);
  const bridge = await startBridge(data);
  const env = { TOUCHLINE_URL: bridge.url, TOUCHLINE_TOKEN: bridge.token };
  const host = await startHost({ extensionPath: root, env });
  const workbench = await openWorkbench(host.url);
  try {
    const { page } = workbench;
    await page.locator(".activitybar .action-label[aria-label^='Touchline']").first().click();
    const rows = page.locator(".pane-body .monaco-list-row");
    await rows.first().click({ timeout: 60_000 });
    await page.locator(".pane-body .monaco-list-row[aria-level='2']").filter({ hasText: "Rollouts" }).first().click();
    const row = (text: string) =>
      page.locator(".pane-body .monaco-list-row[aria-level='3']", { hasText: text }).first();
    const other = page.locator(".pane-body .monaco-list-row[aria-level='3']").nth(2);
    await other.click();
    const viewer = await frameWith(page, ".action .richText");
    const session = await page.context().newCDPSession(page);
    const before = await heapMegabytes(page, session);
    const readable = await page.evaluate(() => performance.now());
    await row(LONG).click();
    await viewer.locator(".titleLine", { hasText: LONG }).waitFor();
    await viewer.locator(".action[data-index='0'] .richText").first().waitFor();
    const clicked = (await page.evaluate(() => performance.now())) - readable;
    await viewer.evaluate(async () => {
      const scroller = document.querySelector(".transcript");
      if (scroller === null) throw new Error("There is no transcript.");
      for (let step = 0; step < 240; step++) {
        scroller.scrollTop += 9000;
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    });
    await page.waitForTimeout(1000);
    const after = await heapMegabytes(page, session);
    return [
      figure("activation, the extension's own code", activationMs(host.logFolder), "ms", "< 100"),
      figure("click on a trajectory of 10,000 actions until readable", clicked, "ms", "< 200"),
      figure("page memory it adds, scrolled through, 100k actions at the bridge", after - before, "MB", "< 150"),
    ];
  } finally {
    await workbench.close();
    await host.close();
    await bridge.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The JavaScript heap of the window, VS Code's own included, after a collection. */
async function heapMegabytes(page: Page, session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  await page.waitForTimeout(200);
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize / 1e6;
}

/** What the extension wrote to its log when it was activated. */
function activationMs(logFolder: string): number {
  const files = readdirSync(logFolder, { recursive: true, encoding: "utf8" }).filter(
    (file) => /touchline/i.test(file) && file.endsWith(".log"),
  );
  for (const file of files) {
    const found = /activated in ([\d.]+) ms/.exec(readFileSync(path.join(logFolder, file), "utf8"));
    if (found !== null) return Number(found[1]);
  }
  throw new Error(`The extension's log is not under ${logFolder}.`);
}

function figure(name: string, value: number, unit: string, goal: string): Figure {
  return { name, value: Math.round(value * 10) / 10, unit, goal, peer: null };
}
