// A program and everything it starts, ended together.
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

/** A running program with its own process group. */
export interface ProcessGroup {
  readonly pid: number;
  /** Ends when the program itself ends: its exit code, or null after a signal. */
  readonly ended: Promise<number | null>;
  /** Ends the whole group: politely, then after the grace time by force. Safe to call twice. */
  stop(graceMs?: number): Promise<void>;
}

/** What a program is started with; its output goes to `logFile`, or to this terminal without one. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly logFile?: string;
  /** Holds the program's stdin open until this process is gone, for programs that end with their parent. */
  readonly endsWithParent?: boolean;
  /** Sees each piece of what the program prints. */
  readonly onOutput?: (text: string) => void;
}

const isWindows = process.platform === "win32";

/** Starts a program in a process group of its own; throws when it cannot be started. */
export async function startGroup(launch: Launch): Promise<ProcessGroup> {
  const isPiped = launch.logFile !== undefined || launch.onOutput !== undefined;
  const child = spawn(launch.command, launch.args, {
    ...(launch.cwd === undefined ? {} : { cwd: launch.cwd }),
    env: { ...process.env, ...launch.env },
    detached: !isWindows,
    stdio: [launch.endsWithParent ? "pipe" : "ignore", isPiped ? "pipe" : "inherit", isPiped ? "pipe" : "inherit"],
  });
  const log = launch.logFile === undefined ? undefined : createWriteStream(launch.logFile, { flags: "a" });
  const ended = endOf(child, log);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      log?.write(text);
      launch.onOutput?.(text);
    });
  }
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${launch.command} did not start.`);
  return { pid, ended, stop: (graceMs = 5000) => stopGroup(pid, child, graceMs) };
}

function endOf(child: ChildProcess, log: WriteStream | undefined): Promise<number | null> {
  return new Promise((resolve) => {
    child.once("exit", (code) => {
      log?.end();
      resolve(code);
    });
    child.once("error", () => resolve(null));
  });
}

/** Sends a signal to the group; false when nobody is left in it. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(isWindows ? pid : -pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}

async function stopGroup(pid: number, child: ChildProcess, graceMs: number): Promise<void> {
  // The program itself first: it may have children of its own to end in order.
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  const deadline = Date.now() + graceMs;
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) await wait(25);
  if (!signalGroup(pid, "SIGTERM")) return;
  const groupDeadline = Math.max(deadline, Date.now() + 1000);
  while (signalGroup(pid, 0) && Date.now() < groupDeadline) await wait(25);
  if (!signalGroup(pid, "SIGKILL")) return;
  // A killed process stays in its group until somebody asks how it ended; where nobody does, waiting longer is useless.
  const reapedDeadline = Date.now() + 2000;
  while (signalGroup(pid, 0) && Date.now() < reapedDeadline) await wait(25);
}
