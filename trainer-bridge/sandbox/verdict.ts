// Reads the supervisor's report into how a program ended and what it left.
import type { FileState } from "../../src/protocol/model.ts";
import type { Limits } from "./limits.ts";
import type { ToolResult } from "./toolResult.ts";

type Ending = Pick<ToolResult, "status" | "message" | "exitCode" | "filesAfter">;

/** How the program ended; `stopped` is why it was ended from outside, if it was. */
export function verdict(found: {
  report: string;
  stderr: string;
  stopped: "cancelled" | "timeout" | "output" | null;
  limits: Limits;
}): Ending {
  const { report, stderr, stopped, limits } = found;
  const filesAfter = filesOf(report);
  if (stopped === "cancelled") return { status: "killed", message: "Cancelled.", exitCode: null, filesAfter };
  if (stopped === "output") {
    return {
      status: "limit",
      message: `Ended: it printed more than ${megabytes(limits.outputBytes)} MB.`,
      exitCode: null,
      filesAfter,
    };
  }
  const tooLong = `Ended after ${limits.wallMs / 1000} s, the limit on time.`;
  if (stopped === "timeout") return { status: "timeout", message: tooLong, exitCode: null, filesAfter };
  const end = /^end (\d+) (exit|timeout|memory)$/m.exec(report);
  if (end === null)
    return { status: "killed", message: "Ended together with its supervisor.", exitCode: null, filesAfter };
  const waitStatus = Number(end[1]);
  if (end[2] === "timeout") return { status: "timeout", message: tooLong, exitCode: null, filesAfter };
  const tooMuch = `It wanted more than ${megabytes(limits.memoryBytes)} MB, the limit on memory.`;
  if (end[2] === "memory") return { status: "outOfMemory", message: tooMuch, exitCode: null, filesAfter };
  const signal = waitStatus & 0x7f;
  if (signal === SIGXCPU) {
    return {
      status: "timeout",
      message: `Ended after ${limits.cpuSeconds} s of processor time.`,
      exitCode: null,
      filesAfter,
    };
  }
  if (signal === SIGXFSZ) return { status: "limit", message: fileLimit(limits), exitCode: null, filesAfter };
  if (signal !== 0) return { status: "killed", message: `Ended by signal ${signal}.`, exitCode: null, filesAfter };
  const exitCode = (waitStatus >> 8) & 0xff;
  if (exitCode === 0) return { status: "ok", message: null, exitCode, filesAfter };
  const lastLine = stderr.trimEnd().split("\n").at(-1) ?? "";
  if (/^MemoryError\b/.test(lastLine)) return { status: "outOfMemory", message: tooMuch, exitCode, filesAfter };
  if (/^OSError: \[Errno 27\]/.test(lastLine))
    return { status: "limit", message: fileLimit(limits), exitCode, filesAfter };
  if (/^OSError: \[Errno 28\]/.test(lastLine)) {
    return {
      status: "limit",
      message: `The workspace is full: ${megabytes(limits.diskBytes)} MB is the limit.`,
      exitCode,
      filesAfter,
    };
  }
  if (/^(BlockingIOError: \[Errno 11\]|RuntimeError: can't start new thread)/.test(lastLine)) {
    return {
      status: "limit",
      message: `More than ${limits.processes} processes and threads were wanted.`,
      exitCode,
      filesAfter,
    };
  }
  return { status: "error", message: null, exitCode, filesAfter };
}

const SIGXCPU = 24;
const SIGXFSZ = 25;

function fileLimit(limits: Limits): string {
  return `A file grew over ${megabytes(limits.fileBytes)} MB, the limit on one file.`;
}

function megabytes(bytes: number): number {
  return Math.round((bytes / 1024 / 1024) * 10) / 10;
}

/** Regular files only; names that are not UTF-8 or hold control characters are shown escaped. */
function filesOf(report: string): FileState[] {
  return [...report.matchAll(/^file (\d+) ([0-9a-f]{64}) ([0-9a-f]+)$/gm)]
    .map(([, size, sha256 = "", name = ""]) => ({
      name: shownName(Buffer.from(name, "hex")),
      sizeBytes: Number(size),
      sha256,
    }))
    .sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
}

function shownName(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  const isPlain = Buffer.from(text, "utf8").equals(bytes);
  const name = isPlain ? text : bytes.toString("latin1");
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\\/gu, (character) =>
    character === "\\" ? "\\\\" : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
