// Long outputs of tool calls: the whole goes to a blob, head and tail stay readable in the action.
import type { Action, Output, ToolCall } from "../../src/protocol/model.ts";
import type { Blobs } from "./blobs.ts";

/** Text longer than this many bytes of UTF-8 is kept as a blob. */
export const INLINE_BYTES = 64 * 1024;
/** Characters of a long output that stay in the action, at each end. */
const END_CHARACTERS = 16 * 1024;

/** A blob that was written and is to be named in the action's own transaction. */
export interface WrittenBlob {
  readonly sha256: string;
  readonly mime: string;
  readonly sizeBytes: number;
}

/** The action with long outputs moved to blobs, and those blobs. The files are on disk when this returns. */
export function shortened(action: Action, blobs: Blobs): { action: Action; written: WrittenBlob[] } {
  const written: WrittenBlob[] = [];
  const write = (text: string, mime: string): string => {
    const bytes = Buffer.from(text, "utf8");
    const sha256 = blobs.write(bytes);
    written.push({ sha256, mime, sizeBytes: bytes.length });
    return sha256;
  };
  if (!action.toolCalls.some(hasLongOutput)) return { action, written };
  return { action: { ...action, toolCalls: action.toolCalls.map((call) => shortenedCall(call, write)) }, written };
}

function shortenedCall(call: ToolCall, write: (text: string, mime: string) => string): ToolCall {
  const stdout = isLong(call.stdout) && call.stdoutBlob === null ? write(call.stdout, "text/plain") : call.stdoutBlob;
  const stderr = isLong(call.stderr) && call.stderrBlob === null ? write(call.stderr, "text/plain") : call.stderrBlob;
  const outputs = call.outputs.map(
    (output): Output =>
      output.text !== null && isLong(output.text)
        ? { ...output, text: null, blob: output.blob ?? write(output.text, output.mime) }
        : output,
  );
  return {
    ...call,
    stdout: headAndTail(call.stdout),
    stderr: headAndTail(call.stderr),
    stdoutBlob: stdout,
    stderrBlob: stderr,
    outputs,
  };
}

function hasLongOutput(call: ToolCall): boolean {
  return isLong(call.stdout) || isLong(call.stderr) || call.outputs.some(({ text }) => text !== null && isLong(text));
}

function isLong(text: string): boolean {
  // A character is at most three bytes of UTF-8 for each of its UTF-16 units.
  return text.length * 3 > INLINE_BYTES && Buffer.byteLength(text, "utf8") > INLINE_BYTES;
}

/** Both ends of a long text: a traceback has its cause at the end. */
function headAndTail(text: string): string {
  if (!isLong(text)) return text;
  const left = text.length - 2 * END_CHARACTERS;
  const note = `\n[… ${left.toLocaleString("en")} characters left out here; all are kept in the store …]\n`;
  return text.slice(0, END_CHARACTERS).toWellFormed() + note + text.slice(-END_CHARACTERS).toWellFormed();
}
