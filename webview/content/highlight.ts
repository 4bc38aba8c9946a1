// Source code as lines of classed pieces: Python, JSON and shell; anything else as it is.
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import type { Line, Piece } from "./ansi.ts";

hljs.registerLanguage("python", python);
hljs.registerLanguage("json", json);
hljs.registerLanguage("bash", bash);

/** Longer code is shown without colours: colouring it would hold up a frame. */
const LONGEST = 40_000;
const names: Readonly<Record<string, string>> = {
  python: "python",
  python3: "python",
  py: "python",
  ipython: "python",
  json: "json",
  bash: "bash",
  sh: "bash",
  shell: "bash",
};

/** Code as lines; the classes are highlight.js's own (`hljs-keyword`, …). */
export function codeLines(code: string, language: string | null): Line[] {
  const known = names[language?.toLowerCase() ?? ""];
  if (known === undefined || code.length > LONGEST) {
    return code.split("\n").map((text) => (text === "" ? [] : [{ text, classes: [] }]));
  }
  return piecesOf(hljs.highlight(code, { language: known, ignoreIllegals: true }).value);
}

const entities: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#x27;": "'",
};

/** highlight.js writes spans and escaped text only; reading them back keeps HTML out of the page altogether. */
function piecesOf(html: string): Line[] {
  const lines: Piece[][] = [[]];
  const open: string[][] = [];
  for (const [token, name] of html.matchAll(/<span class="([^"]*)">|<\/span>|[^<]+/g)) {
    if (token.startsWith("<span")) open.push((name ?? "").split(" ").filter((part) => /^[\w-]+$/.test(part)));
    else if (token === "</span>") open.pop();
    else {
      const classes = open.flat();
      const text = token.replace(/&(?:amp|lt|gt|quot|#x27);/g, (entity) => entities[entity] ?? entity);
      text.split("\n").forEach((part, place) => {
        if (place > 0) lines.push([]);
        if (part !== "") lines.at(-1)?.push({ text: part, classes });
      });
    }
  }
  return lines;
}
