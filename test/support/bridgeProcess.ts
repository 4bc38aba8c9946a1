// The command line as a process of its own, for tests: run to its end, or serving until told to stop.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as esbuild from "esbuild";

const root = path.resolve(import.meta.dirname, "../..");

/** A process that has ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of the command line. */
export interface CommandProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  /** The first line of stdout; rejects where the process ends without one. */
  readonly firstLine: Promise<string>;
}

/** The command line bundled as it is shipped, in a folder of its own. */
export interface CommandBundle {
  readonly main: string;
  dispose(): void;
}

/** Bundles the command line. */
export async function bundleCommand(): Promise<CommandBundle> {
  const folder = mkdtempSync(path.join(tmpdir(), "touchline-bundle-"));
  cpSync(path.join(root, "package.json"), path.join(folder, "package.json"));
  const main = path.join(folder, "dist/bridge.mjs");
  await esbuild.build({
    entryPoints: [path.join(root, "trainer-bridge/main.ts")],
    outfile: main,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22",
    logLevel: "error",
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
  return { main, dispose: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Starts `touchline <args>` on this Node. */
export function startCommand({ main }: CommandBundle, args: readonly string[]): CommandProcess {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], {
    cwd: root,
    stdio: "pipe",
  });
  let [stdout, stderr] = ["", ""];
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (text) => {
      stdout += text;
      const end = stdout.indexOf("\n");
      if (end >= 0) resolve(stdout.slice(0, end));
    });
    void ended.then(() => reject(new Error(`The command ended without a line. ${stderr}`)));
  });
  firstLine.catch(() => undefined);
  return { child, ended, firstLine };
}

/** Runs `touchline <args>` to its end. */
export function runCommand(bundle: CommandBundle, args: readonly string[]): Promise<Ended> {
  const { child, ended } = startCommand(bundle, args);
  child.stdin.end();
  return ended;
}
