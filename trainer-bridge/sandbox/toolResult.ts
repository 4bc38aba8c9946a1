// The record of one program: what a tool call keeps, without its id.
import { createHash } from "node:crypto";
import type { FileState, ToolCall } from "../../src/protocol/model.ts";

/** A tool call's result without its id. */
export type ToolResult = Omit<ToolCall, "id">;

/** A file put into the workspace before the program starts. */
export interface InputFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A result in which nothing has happened yet. */
export function emptyResult(code: string): ToolResult {
  return {
    tool: "python",
    language: "python",
    input: code,
    status: "unknown",
    message: null,
    exitCode: null,
    stdout: "",
    stderr: "",
    stdoutBlob: null,
    stderrBlob: null,
    outputs: [],
    filesBefore: [],
    filesAfter: [],
    durationMs: null,
  };
}

/** Name, size and hash of a file that was put into the workspace. */
export function fileState(file: InputFile): FileState {
  return {
    name: file.name,
    sizeBytes: file.bytes.length,
    sha256: createHash("sha256").update(file.bytes).digest("hex"),
  };
}
