// Ends sandboxes whose bridge was killed at the one moment when bubblewrap cannot notice it: while it makes its namespaces.
import { readdirSync, readFileSync } from "node:fs";

/** The host name inside a sandbox; it says on the command line which bridge the sandbox belongs to. */
export function hostName(bridgePid: number): string {
  return `touchline-${bridgePid}`;
}

/** Ends every sandbox of a bridge that is no more; returns how many there were. */
export function endOrphans(): number {
  let count = 0;
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const owner = bridgeOf(entry);
    if (owner === null || isAlive(owner) || !end(Number(entry))) continue;
    count++;
  }
  return count;
}

/** The bridge that a process's command line names; null where the process is no sandbox, or is gone. */
function bridgeOf(entry: string): number | null {
  const words = ignoringGone(() => readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0")) ?? [];
  const name = words[words.indexOf("--hostname") + 1] ?? "";
  const pid = /^touchline-(\d+)$/.exec(name)?.[1];
  return words.includes("--hostname") && pid !== undefined ? Number(pid) : null;
}

function isAlive(pid: number): boolean {
  return ignoringGone(() => readFileSync(`/proc/${pid}/stat`, "utf8")) !== null;
}

function end(pid: number): boolean {
  return ignoringGone(() => process.kill(pid, "SIGKILL")) ?? false;
}

/** Null where the process has gone meanwhile, or is another user's. */
function ignoringGone<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (
      error instanceof Error &&
      "code" in error &&
      ["ENOENT", "ESRCH", "EPERM", "EACCES"].includes(String(error.code))
    )
      return null;
    throw error;
  }
}
