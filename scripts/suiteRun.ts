// Runs the extension's suite in the VS Code host, from source or as an installed package.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { openWorkbench, screenshot } from "./browser.ts";
import { root } from "./setup/cache.mjs";
import { bundleSuite } from "./suiteBundle.ts";
import { type HostOptions, startHost } from "./vscodeHost.ts";

/** How one test of the suite ended. */
interface SuiteResult {
  readonly name: string;
  readonly durationMs: number;
  readonly error?: string;
}

/** Runs the suite and prints it; throws only when it could not run to its end. */
export async function runSuite(options: HostOptions, timeoutMs = 300_000): Promise<SuiteResult[]> {
  const testsPath = await bundleSuite();
  const folder = await mkdtemp(path.join(os.tmpdir(), "touchline-suite-"));
  const resultsFile = path.join(folder, "results.json");
  const host = await startHost({
    ...options,
    extensionPath: options.extensionPath ?? (await carrier(folder)),
    testsPath,
    env: { ...options.env, TOUCHLINE_TEST_RESULTS: resultsFile },
  });
  try {
    const workbench = await openWorkbench(host.url);
    try {
      const results = await resultsIn(resultsFile, timeoutMs);
      for (const { name, durationMs, error } of results) {
        console.log(error === undefined ? `  pass  ${name} (${durationMs} ms)` : `  FAIL  ${name}\n${error}`);
      }
      return results;
    } catch (error) {
      await screenshot(workbench.page, "suite-did-not-end");
      throw error;
    } finally {
      await workbench.close();
    }
  } finally {
    await host.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** VS Code runs a suite only where an extension is under development: beside an installed one that is this empty one. */
async function carrier(folder: string): Promise<string> {
  const extension = path.join(folder, "carrier");
  await mkdir(extension);
  const manifest = { name: "carrier", publisher: "touchline", version: "0.0.1", engines: { vscode: "^1.100.0" } };
  await writeFile(path.join(extension, "package.json"), JSON.stringify(manifest));
  return extension;
}

async function resultsIn(file: string, timeoutMs: number): Promise<SuiteResult[]> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    if (existsSync(file)) {
      const text = readFileSync(file, "utf8");
      if (text.endsWith("]")) return JSON.parse(text);
    }
    await wait(200);
  }
  throw new Error(`The suite wrote no results within ${timeoutMs / 1000} s; a picture is in test-results/screenshots.`);
}

/** The one .vsix that `npm run package` leaves in the root. */
export async function packagePath(): Promise<string> {
  const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  await mkdir(path.join(root, "out"), { recursive: true });
  return path.join(root, "out", `touchline-${version}.vsix`);
}
