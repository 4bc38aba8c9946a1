// Starts one local trainer-bridge as a child of this window, and stops it.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type * as z from "zod";
import type { Log } from "../log.ts";
import { Listening } from "./listening.ts";

/** A bridge that listens. `ended` settles when the process is over. */
export interface BridgeProcess {
  readonly url: string;
  readonly tokenFile: string;
  readonly pid: number;
  readonly ended: Promise<{ readonly why: string; readonly lastWords: string }>;
  /** Asks it to end, and insists after five seconds. */
  stop(): Promise<void>;
}

/** Thrown where a bridge ended, or stayed silent, before it listened. */
export class BridgeStartError extends Error {
  override readonly name = "BridgeStartError";
}

const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 5000;
const LINES_KEPT = 20;

/** Runs `node script ...args`; `node` may be VS Code's own binary, which runs as Node by its environment. */
export async function startBridgeProcess(
  node: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  log: Log,
): Promise<BridgeProcess> {
  const child = spawn(node, args, {
    env: { ...env, ELECTRON_RUN_AS_NODE: "1" },
    // The bridge ends when its input does: a window that dies takes it along.
    stdio: ["pipe", "pipe", "pipe"],
    windowsHide: true,
  });
  const words: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    words.push(line);
    if (words.length > LINES_KEPT) words.shift();
    log.info(`bridge: ${line}`);
  });
  const ended = new Promise<{ why: string; lastWords: string }>((resolve) => {
    child.once("error", (error) => resolve({ why: error.message, lastWords: words.join("\n") }));
    child.once("exit", (code, signal) =>
      resolve({ why: signal === null ? `exit code ${code}` : `signal ${signal}`, lastWords: words.join("\n") }),
    );
  });
  try {
    const { url, tokenFile } = await firstLine(child, ended);
    return { url, tokenFile, pid: child.pid ?? 0, ended, stop: () => stop(child, ended) };
  } catch (error) {
    await stop(child, ended);
    throw error;
  }
}

async function firstLine(child: ChildProcess, ended: BridgeProcess["ended"]): Promise<z.infer<typeof Listening>> {
  const { promise, resolve, reject } = Promise.withResolvers<z.infer<typeof Listening>>();
  if (child.stdout === null) throw new BridgeStartError("The bridge has no output.");
  createInterface({ input: child.stdout }).on("line", (line) => {
    const said = Listening.safeParse(jsonIn(line));
    if (said.success) resolve(said.data);
  });
  void ended.then(({ why, lastWords }) =>
    reject(
      new BridgeStartError(
        `The bridge ended before it listened (${why}). ${lastWords.split("\n").at(-1) ?? ""}`.trim(),
      ),
    ),
  );
  const timer = setTimeout(
    () => reject(new BridgeStartError(`The bridge did not listen within ${START_TIMEOUT_MS / 1000} s.`)),
    START_TIMEOUT_MS,
  );
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function jsonIn(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A line that is not the bridge's own announcement is none of ours.
    return undefined;
  }
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
  await ended;
  clearTimeout(timer);
}
