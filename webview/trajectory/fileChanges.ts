// What a tool call did to its files: created, changed, removed, or only there.
import type { FileState } from "../../src/protocol/model.ts";

/** One file before and after a tool call. */
export interface FileChange {
  readonly name: string;
  readonly change: "created" | "changed" | "removed" | "same";
  readonly sizeBytes: number;
  readonly sha256: string;
}

const order = ["created", "changed", "removed", "same"];

/** The files of a tool call, what it touched first, then by name. */
export function fileChanges(before: readonly FileState[], after: readonly FileState[]): FileChange[] {
  const old = new Map(before.map((file) => [file.name, file]));
  const now = new Set(after.map((file) => file.name));
  const changes: FileChange[] = after.map((file) => {
    const was = old.get(file.name);
    return { ...file, change: was === undefined ? "created" : was.sha256 === file.sha256 ? "same" : "changed" };
  });
  for (const file of before) if (!now.has(file.name)) changes.push({ ...file, change: "removed" });
  return changes.sort((a, b) => order.indexOf(a.change) - order.indexOf(b.change) || a.name.localeCompare(b.name));
}
