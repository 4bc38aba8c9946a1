// Terminal text as lines of styled pieces: colours by class, carriage returns resolved, every other control dropped.
import Anser from "anser";

/** A run of characters with one look. `classes` are names such as `ansi-red` and `ansi-bold`. */
export interface Piece {
  readonly text: string;
  readonly classes: readonly string[];
}

/** One line of terminal text. */
export type Line = readonly Piece[];

// Built from text, so that no control character stands in the source.
const ESCAPE = "\\u001b";
/** OSC (titles, links), cursor movement and every other sequence that is not a colour. */
const NOT_COLOURS = new RegExp(
  `${ESCAPE}\\][^\\u0007${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)?|${ESCAPE}\\[[0-9;?]*[A-LN-Za-ln-z]|${ESCAPE}[()][A-Z0-9]|${ESCAPE}[=>78cDEHM]`,
  "g",
);
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f]/g;
/** An escape that starts nothing known. */
const LONE_ESCAPE = new RegExp(`${ESCAPE}(?!\\[[0-9;]*m)`, "g");

/** A carriage return goes back to the start of its line: what a terminal would show is what is kept (a progress bar's last state). */
export function withoutReturns(text: string): string {
  if (!text.includes("\r")) return text;
  return text.replaceAll("\r\n", "\n").split("\n").map(lastState).join("\n");
}

function lastState(line: string): string {
  const parts = line.split("\r").filter((part) => part !== "");
  // A shorter last state leaves the tail of a longer one; without colours in them the tail can be kept exactly.
  if (parts.some((part) => part.includes("\u001b"))) return parts.at(-1) ?? "";
  return parts.reduce((shown, part) => part + shown.slice(part.length), "");
}

/** Terminal text without any escape sequence. */
export function plainText(text: string): string {
  return Anser.ansiToText(cleaned(text));
}

/** Terminal text as lines of pieces. */
export function terminalLines(text: string): Line[] {
  const clean = cleaned(text);
  const lines: Piece[][] = [[]];
  const add = (content: string, classes: readonly string[]) => {
    content.split("\n").forEach((part, place) => {
      if (place > 0) lines.push([]);
      if (part !== "") lines.at(-1)?.push({ text: part, classes });
    });
  };
  if (!clean.includes("\u001b")) add(clean, []);
  else
    for (const piece of Anser.ansiToJson(clean, { use_classes: true, remove_empty: true }))
      add(piece.content, classesOf(piece));
  if (lines.length > 1 && lines.at(-1)?.length === 0) lines.pop();
  return lines;
}

function cleaned(text: string): string {
  return withoutReturns(text).replace(NOT_COLOURS, "").replace(LONE_ESCAPE, "").replace(CONTROLS, "");
}

/** Only the sixteen named colours have a class; palette and true colours fall back to the text's own, which is always readable. */
function classesOf(piece: { fg: string | null; bg: string | null; decorations: readonly string[] }): string[] {
  const isNamed = (name: string | null): name is string =>
    name !== null && /^ansi-(bright-)?(black|red|green|yellow|blue|magenta|cyan|white)$/.test(name);
  return [
    ...(isNamed(piece.fg) ? [piece.fg] : []),
    ...(isNamed(piece.bg) ? [`${piece.bg}-bg`] : []),
    ...piece.decorations
      .filter((name) => ["bold", "dim", "italic", "underline", "strikethrough"].includes(name))
      .map((name) => `ansi-${name}`),
  ];
}
