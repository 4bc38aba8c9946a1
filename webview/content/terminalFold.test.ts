// Folding long output: head and tail stay, and every traceback whole.
import { expect, test } from "vitest";
import { foldedStretches, HEAD_LINES, TAIL_LINES, tracebacks, WHOLE_LINES } from "./terminalFold.ts";

const numbered = (count: number) => Array.from({ length: count }, (_, line) => `line ${line}`);
const traceback = [
  "Traceback (most recent call last):",
  '  File "a.py", line 1, in <module>',
  "    f()",
  '  File "a.py", line 9, in f',
  "    g()",
  "ValueError: no",
];

test("a short output is whole", () => {
  expect(foldedStretches(numbered(WHOLE_LINES))).toEqual([{ from: 0, to: WHOLE_LINES, isShown: true }]);
});

test("a long output keeps its head and tail", () => {
  expect(foldedStretches(numbered(500))).toEqual([
    { from: 0, to: HEAD_LINES, isShown: true },
    { from: HEAD_LINES, to: 500 - TAIL_LINES, isShown: false },
    { from: 500 - TAIL_LINES, to: 500, isShown: true },
  ]);
});

test("a traceback in the middle is shown whole, its error line included", () => {
  const lines = [...numbered(100), ...traceback, ...numbered(100)];
  const shown = foldedStretches(lines)
    .filter((stretch) => stretch.isShown)
    .flatMap(({ from, to }) => lines.slice(from, to));
  for (const line of traceback) expect(shown).toContain(line);
});

test("chained tracebacks are both found", () => {
  const lines = [
    ...traceback,
    "",
    "During handling of the above exception, another exception occurred:",
    "",
    ...traceback,
  ];
  expect(tracebacks(lines)).toEqual([
    { from: 0, to: 6 },
    { from: 9, to: 15 },
  ]);
});

test("stretches cover every line once", () => {
  const lines = [...numbered(60), ...traceback, ...numbered(16), ...traceback, ...numbered(90)];
  const stretches = foldedStretches(lines);
  expect(stretches[0]?.from).toBe(0);
  expect(stretches.at(-1)?.to).toBe(lines.length);
  stretches.slice(1).forEach((stretch, place) => {
    expect(stretch.from).toBe(stretches[place]?.to);
    expect(stretch.isShown).not.toBe(stretches[place]?.isShown);
  });
});
