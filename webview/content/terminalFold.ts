// Which lines of a long output stay in view: head, tail, and every traceback whole.

/** A stretch of lines that is shown, or hidden behind one button. 0-based, `to` exclusive. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly isShown: boolean;
}

/** Lines kept at either end of a folded output. */
export const HEAD_LINES = 14;
export const TAIL_LINES = 10;
/** Outputs up to this long are not folded. */
export const WHOLE_LINES = 36;

const START = /^(\s*)Traceback \(most recent call last\):/;

/** Splits an output into shown and hidden stretches; `lines` are plain text. */
export function foldedStretches(lines: readonly string[]): Stretch[] {
  if (lines.length <= WHOLE_LINES) return [{ from: 0, to: lines.length, isShown: true }];
  const isShown = new Uint8Array(lines.length);
  isShown.fill(1, 0, HEAD_LINES);
  isShown.fill(1, lines.length - TAIL_LINES);
  for (const { from, to } of tracebacks(lines)) isShown.fill(1, from, to);
  const stretches: Stretch[] = [];
  let from = 0;
  for (let line = 1; line <= lines.length; line++) {
    if (line < lines.length && isShown[line] === isShown[from]) continue;
    stretches.push({ from, to: line, isShown: isShown[from] === 1 });
    from = line;
  }
  // A button that hides two lines is longer than the two lines.
  return joined(stretches.map((stretch) => (stretch.to - stretch.from < 3 ? { ...stretch, isShown: true } : stretch)));
}

function joined(stretches: readonly Stretch[]): Stretch[] {
  const result: Stretch[] = [];
  for (const stretch of stretches) {
    const last = result.at(-1);
    if (last !== undefined && last.isShown === stretch.isShown) result[result.length - 1] = { ...last, to: stretch.to };
    else result.push(stretch);
  }
  return result;
}

/** Tracebacks by line: from their heading to the line that names the error, 0-based, `to` exclusive. */
export function tracebacks(lines: readonly string[]): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (let line = 0; line < lines.length; line++) {
    const indent = START.exec(lines[line] ?? "")?.[1];
    if (indent === undefined) continue;
    let end = line + 1;
    while (end < lines.length && ((lines[end] ?? "").startsWith(`${indent} `) || lines[end] === "")) end++;
    // And the error's own line.
    end = Math.min(lines.length, end + 1);
    found.push({ from: line, to: end });
    line = end - 1;
  }
  return found;
}
