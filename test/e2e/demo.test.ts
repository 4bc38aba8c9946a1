// `npm run demo`: a page with Touchline live and rollouts arriving, and nothing left after Ctrl+C.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { openWorkbench, ownErrors, screenshot } from "../../scripts/browser.ts";
import { connectBridge } from "../../trainer-bridge/cli/bridgeClient.ts";
import { processesMarked } from "../support/descendants.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** Starts the demo as a terminal does: in a foreground process group of its own. */
function startDemo(data: string, mark: string) {
  const child = spawn("npm", ["run", "demo", "--", "--data", data], {
    cwd: root,
    detached: true,
    env: { ...process.env, TOUCHLINE_TEST_MARK: mark },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output.push(text));
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const interrupt = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGINT");
  };
  return { printed: () => output.join(""), ended, interrupt };
}

async function until<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  timeoutMs: number,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await wait(250);
  }
  throw new Error(`Not within ${timeoutMs / 1000} s: ${what}`);
}

test.runIf(process.platform === "linux")(
  "the demo shows rollouts as they arrive, and Ctrl+C leaves no process",
  async () => {
    const data = mkdtempSync(path.join(os.tmpdir(), "touchline-demo-"));
    const mark = `touchline-${randomUUID()}`;
    const demo = startDemo(data, mark);
    onTestFinished(() => {
      for (const { pid } of processesMarked(mark)) process.kill(pid, "SIGKILL");
      rmSync(data, { recursive: true, force: true });
    });

    const url = await until(
      "an address",
      () => /VS Code with Touchline: (\S+)/.exec(demo.printed())?.[1],
      120_000,
    ).catch((error: unknown) => {
      throw new Error(`${error}\n${demo.printed()}`);
    });
    const address = JSON.parse(readFileSync(path.join(data, "bridge/bridge.json"), "utf8"));
    const client = await connectBridge(address.url, readFileSync(address.tokenFile, "utf8").trim(), "test");
    const count = async () => (await client.request("status/get", {})).counts.trajectories;
    const some = await until("a first rollout", async () => ((await count()) > 0 ? await count() : undefined), 60_000);
    const workbench = await openWorkbench(url);
    await workbench.page.locator(".statusbar-item", { hasText: "Touchline" }).first().waitFor({ timeout: 60_000 });
    const more = await until(
      "another rollout",
      async () => ((await count()) > some ? await count() : undefined),
      60_000,
    );
    await workbench.page
      .locator(".pane-body .monaco-list-row", { hasText: "Demo" })
      .first()
      .waitFor({ timeout: 30_000 });
    await screenshot(workbench.page, "demo");
    expect(more).toBeGreaterThan(some);
    expect(ownErrors(workbench.consoleErrors)).toEqual([]);
    await workbench.close();
    await client.close();

    demo.interrupt();
    await demo.ended;
    expect(demo.printed()).toContain("Stopped.");
    const left = await until("no process", () => (processesMarked(mark).length === 0 ? [] : undefined), 5_000).catch(
      () => processesMarked(mark),
    );
    expect(left).toEqual([]);
  },
);
