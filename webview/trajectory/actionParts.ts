// The text of an action with its tool calls where they were written: code that was run is drawn once, as its cell.
import type { ToolCall } from "../../src/protocol/model.ts";

/** A piece of an action in reading order; `firstLine` is the 1-based line of the text that the piece starts at. */
export type ActionPart =
  | { readonly kind: "text"; readonly source: string; readonly firstLine: number }
  | { readonly kind: "call"; readonly place: number };

const FENCE = /^(`{3,}|~{3,})[^\n]*\n([\s\S]*?)\n?^\1[ \t]*$/gm;

/** Splits `text` at each fenced block that is the input of a tool call; calls that are not found there come last, in order. */
export function actionParts(text: string, toolCalls: readonly Pick<ToolCall, "input">[]): ActionPart[] {
  const parts: ActionPart[] = [];
  const waiting = new Set(toolCalls.keys());
  let start = 0;
  const addText = (end: number) => {
    const piece = text.slice(start, end);
    if (piece.trim() === "") return;
    parts.push({ kind: "text", source: piece, firstLine: text.slice(0, start).split("\n").length });
  };
  for (const match of text.matchAll(FENCE)) {
    const code = (match[2] ?? "").trim();
    const place = [...waiting].find((candidate) => toolCalls[candidate]?.input.trim() === code);
    if (place === undefined) continue;
    waiting.delete(place);
    addText(match.index);
    parts.push({ kind: "call", place });
    start = match.index + match[0].length;
  }
  addText(text.length);
  for (const place of waiting) parts.push({ kind: "call", place });
  return parts;
}
