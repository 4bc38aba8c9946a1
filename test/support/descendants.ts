// Finds every process that was started, however indirectly, with a mark in its environment.
import { readdirSync, readFileSync } from "node:fs";

/** Processes whose environment holds the mark, with their command line; Linux only. */
export function processesMarked(mark: string): { pid: number; command: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => readOf(name, "environ").includes(mark))
    .map((name) => ({ pid: Number(name), command: readOf(name, "cmdline").replaceAll("\0", " ").trim() }));
}

/** A process may end, or be another user's, while it is looked at: then there is nothing to read. */
function readOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error) return "";
    throw error;
  }
}
