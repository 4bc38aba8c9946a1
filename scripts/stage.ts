// One stage of the checks: a program that is run, and what it counted.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { root } from "./setup/cache.mjs";

/** What a stage counted; a tool without tests counts as one. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A named part of `npm test`. */
export interface Stage {
  readonly name: string;
  run(): Promise<Tally>;
}

/** A tool of the virtual environment, or of node_modules. */
export const venvTool = (name: string) =>
  path.join(root, ".venv", process.platform === "win32" ? "Scripts" : "bin", name);
export const nodeTool = (name: string) => path.join(root, "node_modules/.bin", name);

/** Runs a program with its output here; answers its exit code. */
export function runProgram(command: string, args: readonly string[], cwd = root): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: "inherit", env: { ...process.env, FORCE_COLOR: undefined } });
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/** A stage that passes when the program ends with 0. */
export function toolStage(name: string, command: string, args: readonly string[], cwd = root): Stage {
  return {
    name,
    run: async () => {
      const isGood = (await runProgram(command, args, cwd)) === 0;
      return { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, skipped: 0 };
    },
  };
}

/** A project of vitest.config.ts; what is counted is its tests. */
export function vitestStage(project: string): Stage {
  return {
    name: `vitest ${project}`,
    run: async () => {
      const report = path.join(root, "test-results", `${project}.json`);
      await mkdir(path.dirname(report), { recursive: true });
      rmSync(report, { force: true });
      const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
      const code = await runProgram(nodeTool("vitest"), ["run", "--project", project, ...reporters]);
      if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
      const counted = JSON.parse(readFileSync(report, "utf8"));
      const failed: number = counted.numFailedTests;
      // A file that cannot be loaded fails the run without failing a test.
      return {
        passed: counted.numPassedTests,
        failed: code !== 0 && failed === 0 ? 1 : failed,
        skipped: counted.numPendingTests + counted.numTodoTests,
      };
    },
  };
}

/** The engine's own tests; what is counted is its tests. */
export function pytestStage(): Stage {
  const folder = path.join(root, "trainer-bridge/engine");
  const report = path.join(root, "test-results/pytest.xml");
  return {
    name: "pytest",
    run: async () => {
      rmSync(report, { force: true });
      const code = await runProgram(venvTool("python"), ["-m", "pytest", "-q", `--junitxml=${report}`], folder);
      if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
      const suite = readFileSync(report, "utf8");
      const count = (name: string) => Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
      const failed = count("failures") + count("errors");
      const skipped = count("skipped");
      return { passed: count("tests") - failed - skipped, failed: code !== 0 && failed === 0 ? 1 : failed, skipped };
    },
  };
}

/** Runs every stage, also after one that failed; the last line is the sum, and the exit code says if all is well. */
export async function runStages(stages: readonly Stage[]): Promise<void> {
  const lines: string[] = [];
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const stage of stages) {
    console.log(`\n== ${stage.name}`);
    const start = Date.now();
    const tally = await stage.run().catch((error: unknown) => {
      console.error(error instanceof Error ? error.stack : error);
      return { passed: 0, failed: 1, skipped: 0 };
    });
    const seconds = ((Date.now() - start) / 1000).toFixed(1);
    lines.push(`${tally.failed === 0 ? "ok  " : "FAIL"} ${stage.name}: ${describe(tally)}, ${seconds} s`);
    sum.passed += tally.passed;
    sum.failed += tally.failed;
    sum.skipped += tally.skipped;
  }
  console.log(`\n${lines.join("\n")}\n\n${describe(sum)}`);
  process.exitCode = sum.failed === 0 ? 0 : 1;
}

function describe({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
