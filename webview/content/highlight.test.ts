// Highlighted code: the same text, line for line, with classes around it.
import { expect, test } from "vitest";
import { codeLines } from "./highlight.ts";

const text = (code: string, language: string | null) =>
  codeLines(code, language)
    .map((line) => line.map((piece) => piece.text).join(""))
    .join("\n");

test.each([
  ["python", 'def f(x: int) -> str:\n    """Two\n    lines."""\n    return f"{x} & <b>" + \'"\''],
  ["json", '{"a": [1, true, null], "<script>": "&amp;"}'],
  ["bash", 'for f in *.txt; do echo "$f" && cat < "$f"; done'],
  ["klingon", "<b>&lt;</b>"],
  [null, "a\n\nb"],
])("%s keeps every character", (language, code) => {
  expect(text(code, language)).toBe(code);
});

test("a string over several lines is a string on each", () => {
  const lines = codeLines('x = """a\nb\n"""', "python");
  expect(lines[1]?.[0]?.classes).toContain("hljs-string");
});

test("very long code is shown without colours", () => {
  const code = "x = 1\n".repeat(20_000);
  expect(codeLines(code, "python").every((line) => line.every((piece) => piece.classes.length === 0))).toBe(true);
});
