// Where a reason's evidence lies: the lines it cites, and how the link to them reads.
import type { Evidence } from "../../src/protocol/model.ts";

/** Lines of a source, 1-based and inclusive. */
export interface LineRange {
  readonly from: number;
  readonly to: number;
}

/** The lines of `text` that a piece of evidence cites: as numbered, else where its quote stands; null where neither can be found. */
export function evidenceLines(evidence: Evidence, text: string): LineRange | null {
  const count = text.split("\n").length;
  if (evidence.lineFrom !== null && evidence.lineFrom <= count) {
    return {
      from: evidence.lineFrom,
      to: Math.min(count, Math.max(evidence.lineFrom, evidence.lineTo ?? evidence.lineFrom)),
    };
  }
  const quote = evidence.quote.trim();
  if (quote === "") return null;
  const place = text.indexOf(quote);
  if (place >= 0) {
    const from = lineAt(text, place);
    return { from, to: lineAt(text, place + quote.length - 1) };
  }
  // A quote over a line break is often written with a space in its place.
  const pattern = quote
    .split(/\s+/)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("\\s+");
  const match = quote.length > 500 ? null : new RegExp(pattern).exec(text);
  return match === null
    ? null
    : { from: lineAt(text, match.index), to: lineAt(text, match.index + match[0].length - 1) };
}

function lineAt(text: string, place: number): number {
  let line = 1;
  for (let next = text.indexOf("\n"); next >= 0 && next < place; next = text.indexOf("\n", next + 1)) line++;
  return line;
}

/** How a link to evidence reads: `code, lines 3–5`. */
export function evidenceText(evidence: Evidence): string {
  const name = evidence.source === "observation" ? "what it saw" : evidence.source;
  if (evidence.lineFrom === null) return name;
  if (evidence.lineTo === null || evidence.lineTo === evidence.lineFrom) return `${name}, line ${evidence.lineFrom}`;
  return `${name}, lines ${evidence.lineFrom}–${evidence.lineTo}`;
}
