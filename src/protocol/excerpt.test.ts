// Long output is cut so that its beginning, its end and the last traceback can still be read.
import { expect, test } from "vitest";
import { excerpt } from "./excerpt.ts";

test("a short text is not touched", () => {
  expect(excerpt("abc", 3)).toBe("abc");
});

test("a long text keeps its head and its tail, and says how much is left out", () => {
  const text = `${"a".repeat(500)}${"b".repeat(500)}`;
  expect(excerpt(text, 100)).toBe(`${"a".repeat(50)}\n… 900 characters left out …\n${"b".repeat(50)}`);
});

test("the last traceback stays whole", () => {
  const traceback = `Traceback (most recent call last):\n${'  File "main.py", line 1\n'.repeat(20)}ValueError: the cause`;
  const cut = excerpt(
    `${"noise\n".repeat(1000)}Traceback (most recent call last):\nold\n${"noise\n".repeat(500)}${traceback}`,
    800,
  );
  expect(cut).toContain(traceback);
  expect(cut.startsWith("noise")).toBe(true);
  expect(cut).not.toContain("old");
});

test("a traceback longer than there is room for loses its middle, never its cause", () => {
  const cut = excerpt(`Traceback (most recent call last):\n${"  frame\n".repeat(1000)}RecursionError: too deep`, 400);
  expect(cut.endsWith("RecursionError: too deep")).toBe(true);
  expect(cut.length).toBeLessThan(460);
});

test("no character is cut in half", () => {
  expect(excerpt("😀".repeat(100), 51).split("\n")[0]).toBe("😀".repeat(13));
});
