// `npm run demo`: a real VS Code in the browser, connected to a bridge whose team of agents is rolling out.
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openWorkbench, screenshot } from "./browser.ts";
import { type DemoBridge, startBridge } from "./demoBridge.ts";
import { root } from "./setup/cache.mjs";
import { runProgram } from "./stage.ts";
import { startHost, type VscodeHost } from "./vscodeHost.ts";

const { values } = parseArgs({
  options: {
    /** Keeps what was trained in this folder; the same folder goes on where it was. */
    data: { type: "string", default: path.join(root, ".touchline/demo") },
    /** Starts from nothing. */
    fresh: { type: "boolean", default: false },
    port: { type: "string" },
    /** Opens the page without a screen, keeps a picture, and ends. */
    "headless-check": { type: "boolean", default: false },
  },
});

const rolloutCount = 192;

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (!stop.signal.aborted) console.log("\nStopping …");
    stop.abort();
  });
}
const stopped = new Promise<void>((resolve) => {
  stop.signal.addEventListener("abort", () => resolve(), { once: true });
});

/** A training run to look at: the newest one of the folder, or a new one. */
async function demoRun({ client }: DemoBridge): Promise<string> {
  const { items } = await client.request("run/list", {});
  const run = items.find((item) => item.kind === "training") ?? (await client.request("run/create", { name: "Demo" }));
  return run.id;
}

async function untilEngineReady({ client }: DemoBridge): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!stop.signal.aborted && Date.now() < deadline) {
    const { engine } = await client.request("status/get", {});
    if (engine.state === "ready") return;
    if (engine.state === "failed" || engine.state === "none") throw new Error(engine.message);
    await wait(200);
  }
  throw new Error("The engine was not ready within two minutes.");
}

/** Lets the team roll out while the page is read; what fails here is told and nothing else stops. */
async function rollOut(bridge: DemoBridge): Promise<void> {
  try {
    await untilEngineReady(bridge);
    const runId = await demoRun(bridge);
    const counts = await bridge.client.request("rollout/start", { runId, taskCount: rolloutCount, concurrency: 4 });
    console.log(
      `Rollouts: ${counts.completed} completed, ${counts.failed} failed. Start a finetuning iteration in VS Code.`,
    );
  } catch (error) {
    if (!stop.signal.aborted) console.error("The rollouts stopped:", error instanceof Error ? error.message : error);
  }
}

async function headlessCheck(host: VscodeHost): Promise<void> {
  const workbench = await openWorkbench(host.url);
  try {
    await workbench.page.locator(".statusbar-item", { hasText: "Touchline" }).first().waitFor({ timeout: 60_000 });
    console.log(`A picture of it: ${await screenshot(workbench.page, "demo")}`);
  } finally {
    await workbench.close();
  }
}

async function demo(): Promise<void> {
  if ((await runProgram(process.execPath, ["esbuild.mjs", "--all"])) !== 0) throw new Error("The build failed.");
  const folder = path.resolve(values.data);
  if (values.fresh) await rm(folder, { recursive: true, force: true });
  const workspace = path.join(folder, "workspace");
  await mkdir(workspace, { recursive: true });
  await writeFile(path.join(workspace, "README.md"), "# A folder to work in\n\nThe demo keeps its data beside it.\n");
  const bridge = await startBridge(path.join(folder, "bridge"));
  try {
    const host = await startHost({
      workspace,
      extensionPath: root,
      startCommands: ["workbench.view.extension.touchline"],
      ...(values.port === undefined ? {} : { port: Number(values.port) }),
      env: { TOUCHLINE_URL: bridge.url, TOUCHLINE_TOKEN: bridge.token },
    });
    try {
      const rollouts = rollOut(bridge);
      console.log(
        `\nVS Code with Touchline: ${host.url}\n\nCtrl+C stops everything. The bridge's log: ${bridge.logFile}`,
      );
      if (values["headless-check"]) await headlessCheck(host);
      else await Promise.race([stopped, bridge.group.ended]);
      if (!stop.signal.aborted && !values["headless-check"])
        throw new Error(`The bridge ended; its log: ${bridge.logFile}`);
      stop.abort();
      await Promise.race([rollouts, bridge.close()]);
    } finally {
      await host.close();
    }
  } finally {
    await bridge.close();
  }
}

try {
  await demo();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  console.log("Stopped.");
}
