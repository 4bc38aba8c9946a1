// Runs model-written Python in bubblewrap: no network, a read-only system, limits on everything; or says why it cannot.
import { availableParallelism } from "node:os";
import { createGate } from "./gate.ts";
import { findLauncher } from "./launcher.ts";
import { type Limits, limitsWith } from "./limits.ts";
import { endOrphans } from "./orphans.ts";
import { runOnce } from "./runOnce.ts";
import { emptyResult, fileState, type InputFile, type ToolResult } from "./toolResult.ts";

/** How one program is run; limits not given are the defaults. */
export interface RunOptions {
  readonly signal: AbortSignal;
  readonly limits?: Partial<Limits>;
  readonly files?: readonly InputFile[];
}

/** Runs programs one by one, each alone in a fresh world; at most one a core at a time. */
export interface Sandbox {
  readonly status: { readonly state: "ready" | "refused"; readonly message: string };
  /** Runs the Python text. Never throws for what the program does: that is in the status and the message. */
  run(code: string, options: RunOptions): Promise<ToolResult>;
  /** Ends what still runs. */
  close(): Promise<void>;
}

/** Finds out how programs can be run here, and opens the sandbox; where they cannot, every run is refused with the remedy. */
export async function openSandbox(
  options: { concurrency?: number; launcher?: typeof findLauncher } = {},
): Promise<Sandbox> {
  const found = await (options.launcher ?? findLauncher)();
  const gate = createGate(options.concurrency ?? availableParallelism());
  const closing = new AbortController();
  if (found.launcher === null) {
    const status = { state: "refused", message: found.message } as const;
    return { status, run: async (code, { files }) => refusal(code, found.message, files), close: async () => {} };
  }
  endOrphans();
  const launcher = found.launcher;
  return {
    status: { state: "ready", message: found.message },
    run: (code, { signal, limits, files = [] }) => {
      const either = AbortSignal.any([signal, closing.signal]);
      return gate(() => runOnce(launcher, code, { signal: either, limits: limitsWith(limits), files }));
    },
    close: async () => {
      closing.abort();
      await gate.idle();
    },
  };
}

/** The record of a program that was not run. */
function refusal(code: string, message: string, files: readonly InputFile[] = []): ToolResult {
  return { ...emptyResult(code), status: "refused", message, filesBefore: files.map(fileState) };
}
