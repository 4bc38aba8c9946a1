// Takes a policy's text apart: thinking, and the code blocks to run.

/** The text without its thinking, and the thinking; null where there is none. */
export interface TextParts {
  readonly text: string;
  readonly thinking: string | null;
}

const OPEN = "<think>";
const CLOSE = "</think>";

/** Splits off `<think>…</think>`. A template may have opened it in the prompt; a cut-off text may never close it. */
export function splitThinking(raw: string): TextParts {
  const thoughts: string[] = [];
  let text = "";
  let rest = raw;
  const [firstOpen, firstClose] = [raw.indexOf(OPEN), raw.indexOf(CLOSE)];
  if (firstClose >= 0 && (firstOpen < 0 || firstClose < firstOpen)) {
    thoughts.push(raw.slice(0, firstClose));
    rest = raw.slice(firstClose + CLOSE.length);
  }
  for (let open = rest.indexOf(OPEN); open >= 0; open = rest.indexOf(OPEN)) {
    text += rest.slice(0, open);
    const close = rest.indexOf(CLOSE, open);
    thoughts.push(rest.slice(open + OPEN.length, close < 0 ? undefined : close));
    rest = close < 0 ? "" : rest.slice(close + CLOSE.length);
  }
  text += rest;
  if (thoughts.length === 0) return { text: raw, thinking: null };
  const thinking = thoughts.map((thought) => thought.trim()).join("\n\n");
  return { text: text.trim(), thinking: thinking === "" ? null : thinking };
}

/** The content of each closed ```python block of the text, in order; a block that is never closed is not code to run. */
export function codeBlocks(text: string): string[] {
  const blocks: string[] = [];
  let open: { fence: string; indent: string; isPython: boolean; lines: string[] } | null = null;
  for (const line of text.split(/\r?\n/)) {
    const fence = /^( {0,3})(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/.exec(line);
    if (open === null) {
      if (fence === null) continue;
      const language = (fence[3] ?? "").toLowerCase();
      open = {
        fence: fence[2] ?? "```",
        indent: fence[1] ?? "",
        isPython: ["python", "py", "python3"].includes(language),
        lines: [],
      };
    } else if (
      fence !== null &&
      fence[3] === "" &&
      fence[2]?.[0] === open.fence[0] &&
      (fence[2]?.length ?? 0) >= open.fence.length
    ) {
      if (open.isPython) blocks.push(open.lines.join("\n"));
      open = null;
    } else open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
  }
  return blocks.filter((block) => block.trim() !== "");
}
