// One program in one fresh sandbox, from start to record.
import { spawn } from "node:child_process";
import { keepOutput } from "./keptOutput.ts";
import type { Launcher } from "./launcher.ts";
import type { Limits } from "./limits.ts";
import { emptyResult, fileState, type InputFile, type ToolResult } from "./toolResult.ts";
import { verdict } from "./verdict.ts";

/** Grace for the supervisor inside to stop the program and report; then everything is ended from outside. */
const GRACE_MS = 5000;

/** How long an order to end waits for the sandbox to be whole. */
const SETUP_MS = 5000;

/** Runs the program; whatever it does, the record says how it ended. */
export function runOnce(
  launcher: Launcher,
  code: string,
  options: { signal: AbortSignal; limits: Limits; files: readonly InputFile[] },
): Promise<ToolResult> {
  const { signal, limits, files } = options;
  const result: ToolResult = { ...emptyResult(code), filesBefore: files.map(fileState) };
  if (signal.aborted) return Promise.resolve({ ...result, status: "killed", message: "Cancelled before it started." });
  const bad = files.find((file) => !/^[^/\0]{1,200}$/.test(file.name) || file.name === "." || file.name === "..");
  if (bad !== undefined) {
    return Promise.resolve({
      ...result,
      status: "refused",
      message: `The file name ${JSON.stringify(bad.name)} cannot be used in a workspace.`,
    });
  }
  return new Promise((resolve) => {
    const { file, args, account } = launcher.command(limits.diskBytes);
    const started = performance.now();
    const child = spawn(file, args, { ...account, stdio: ["pipe", "pipe", "pipe", "pipe"], cwd: "/", env: {} });
    const stdout = keepOutput();
    const stderr = keepOutput();
    const report = keepOutput(8 * 1024 * 1024);
    let stopped: "cancelled" | "timeout" | "output" | null = null;
    let isReady = false;
    let lastResort: NodeJS.Timeout | undefined;
    // What is inside dies with bwrap only once the sandbox is whole: ended before that, it could be left behind.
    const stop = (why: "cancelled" | "timeout" | "output"): void => {
      stopped ??= why;
      if (isReady) child.kill("SIGKILL");
      else lastResort ??= setTimeout(() => child.kill("SIGKILL"), SETUP_MS);
    };
    const onAbort = (): void => stop("cancelled");
    signal.addEventListener("abort", onAbort, { once: true });
    const timer = setTimeout(() => stop("timeout"), limits.wallMs + GRACE_MS);
    for (const [stream, kept] of [
      [child.stdout, stdout],
      [child.stderr, stderr],
    ] as const) {
      stream.on("data", (chunk: Buffer) => {
        if (stopped !== null) return;
        kept.add(chunk);
        if (stdout.total + stderr.total > limits.outputBytes) stop("output");
      });
    }
    const reportStream = child.stdio[3];
    if (reportStream !== null && reportStream !== undefined && "on" in reportStream) {
      reportStream.on("data", (chunk: Buffer) => {
        report.add(chunk);
        isReady = true;
        if (stopped !== null) child.kill("SIGKILL");
      });
      reportStream.on("error", () => {});
    }
    // A supervisor that died reads no more; how it ended is in the exit.
    child.stdin.on("error", () => {});
    const finish = (ending: Pick<ToolResult, "status" | "message" | "exitCode" | "filesAfter">): void => {
      clearTimeout(timer);
      clearTimeout(lastResort);
      signal.removeEventListener("abort", onAbort);
      resolve({
        ...result,
        ...ending,
        stdout: stdout.text(),
        stderr: stderr.text(),
        durationMs: performance.now() - started,
      });
    };
    child.on("error", (error) => {
      finish({
        status: "refused",
        message: `The sandbox could not be started: ${error.message}.`,
        exitCode: null,
        filesAfter: [],
      });
    });
    child.on("close", () => finish(verdict({ report: report.text(), stderr: stderr.text(), stopped, limits })));
    child.stdin.end(programInput(code, limits, files));
  });
}

function programInput(code: string, limits: Limits, files: readonly InputFile[]): Buffer {
  const program = Buffer.from(code, "utf8");
  const numbers = [
    program.length,
    limits.wallMs,
    limits.cpuSeconds,
    limits.memoryBytes,
    limits.processes,
    limits.fileBytes,
    files.length,
  ];
  const parts: Uint8Array[] = [Buffer.from(`${numbers.map(Math.ceil).join(" ")}\n`), program];
  for (const file of files)
    parts.push(Buffer.from(`${file.bytes.length} ${Buffer.from(file.name).toString("hex")}\n`), file.bytes);
  return Buffer.concat(parts);
}
