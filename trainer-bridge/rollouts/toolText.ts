// What agents downstream read of tool calls: as the workflow says, long output by head and tail.
import { excerpt } from "../../src/protocol/excerpt.ts";
import type { ToolCall } from "../../src/protocol/model.ts";
import { fillTemplate } from "../workflow/template.ts";
import type { Workflow } from "../workflow/workflow.ts";

/** The tool calls of one action as text for the agents. */
export function toolText(calls: readonly ToolCall[], style: Workflow["toolOutput"]): string {
  if (style.style === "short") return shortText(calls, style);
  if (calls.length === 0) return "(no code was run)";
  const share = Math.floor(style.limit / calls.length);
  const parts = calls.map((call, place) => {
    const head = calls.length === 1 ? "" : `Block ${place + 1} of ${calls.length}:\n`;
    return `${head}${fullText(call, share)}`;
  });
  return parts.join("\n\n");
}

function shortText(calls: readonly ToolCall[], style: Workflow["toolOutput"]): string {
  const parts = calls.map((call) => {
    const printed = call.stdout.trim();
    if (printed !== "") return printed;
    const lastLine = call.stderr.trim().split("\n").at(-1) ?? "";
    if (lastLine !== "") return fillTemplate(style.error, { last_line: lastLine });
    return call.status === "ok" ? style.empty : fillTemplate(style.error, { last_line: call.message ?? call.status });
  });
  return excerpt(parts.length === 0 ? style.empty : parts.join("\n"), style.limit);
}

function fullText(call: ToolCall, limit: number): string {
  const hasBoth = call.stdout.trim() !== "" && call.stderr.trim() !== "";
  const room = hasBoth ? Math.floor(limit / 2) : limit;
  const parts: string[] = [];
  if (call.status !== "ok") parts.push(`[${call.status}${call.message === null ? "" : `: ${call.message}`}]`);
  if (call.stdout.trim() !== "") parts.push(excerpt(call.stdout.trimEnd(), room));
  if (call.stderr.trim() !== "") parts.push(`[stderr]\n${excerpt(call.stderr.trimEnd(), room)}`);
  if (call.filesAfter.length > 0) {
    const names = call.filesAfter.slice(0, 50).map((file) => `${JSON.stringify(file.name)} (${file.sizeBytes} bytes)`);
    parts.push(`[files] ${names.join(", ")}${call.filesAfter.length > 50 ? ", …" : ""}`);
  }
  return parts.length === 0 ? "(nothing was printed)" : parts.join("\n");
}
