import { expect, test } from "vitest";
import { actionParts } from "./actionParts.ts";

const call = (input: string) => ({ input });
const text = (source: string, firstLine: number) => ({ kind: "text", source, firstLine });

test.each([
  ["code that was run", "```python\nprint(1)\n```", [call("print(1)\n")], [{ kind: "call", place: 0 }]],
  [
    "words around it keep their lines",
    "First\n```python\nprint(1)\n```\nthen",
    [call("print(1)")],
    [text("First\n", 1), { kind: "call", place: 0 }, text("\nthen", 4)],
  ],
  ["code that was not run stays text", "```python\nprint(1)\n```", [], [text("```python\nprint(1)\n```", 1)]],
  [
    "the same code twice is two calls",
    "```\na\n```\n```\na\n```",
    [call("a"), call("a")],
    [
      { kind: "call", place: 0 },
      { kind: "call", place: 1 },
    ],
  ],
  ["a call that is not in the text comes last", "Done.", [call("a")], [text("Done.", 1), { kind: "call", place: 0 }]],
  ["an unclosed fence stays text", "```python\nprint(1)", [], [text("```python\nprint(1)", 1)]],
  ["nothing", "", [], []],
])("%s", (_name, source, calls, expected) => {
  expect(actionParts(source, calls)).toEqual(expected);
});
