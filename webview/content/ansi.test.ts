// Terminal text: colours kept, everything else a terminal would obey taken out.
import { describe, expect, test } from "vitest";
import { plainText, terminalLines, withoutReturns } from "./ansi.ts";

describe("carriage returns", () => {
  test.each([
    ["a progress bar ends in its last state", "\r 10%\r 50%\r100%\ndone", "100%\ndone"],
    ["a shorter state leaves the tail of the longer one", "abcdef\rxy\n", "xycdef\n"],
    ["Windows line ends are line ends", "a\r\nb\r\n", "a\nb\n"],
    ["text without them is untouched", "a\nb", "a\nb"],
    ["one at the end of a line erases nothing", "loading\r\n\rx", "loading\nx"],
  ])("%s", (_name, text, shown) => {
    expect(withoutReturns(text)).toBe(shown);
  });
});

describe("escape sequences", () => {
  test("colours become classes", () => {
    expect(terminalLines("\u001b[31mred\u001b[0m plain \u001b[1;92mbold\u001b[0m")).toEqual([
      [
        { text: "red", classes: ["ansi-red"] },
        { text: " plain ", classes: [] },
        { text: "bold", classes: ["ansi-bright-green", "ansi-bold"] },
      ],
    ]);
  });

  test("a colour goes on over a line end", () => {
    expect(terminalLines("\u001b[31ma\nb\u001b[0m").map((line) => line[0]?.classes)).toEqual([
      ["ansi-red"],
      ["ansi-red"],
    ]);
  });

  test.each([
    ["cursor movement", "a\u001b[2Jb\u001b[10;10Hc"],
    ["a window title", "a\u001b]0;title\u0007bc"],
    ["a link keeps its text only", "a\u001b]8;;javascript:x\u001b\\b\u001b]8;;\u001b\\c"],
    ["bells and backspaces", "a\u0007b\u0008c"],
    ["a lone escape", "a\u001bbc"],
    ["palette and true colours", "\u001b[38;5;123ma\u001b[48;2;1;2;3mb\u001b[0mc"],
  ])("%s leave the text", (_name, text) => {
    expect(plainText(text)).toBe("abc");
    expect(
      terminalLines(text)
        .flat()
        .map((piece) => piece.text)
        .join(""),
    ).toBe("abc");
    expect(
      terminalLines(text)
        .flat()
        .flatMap((piece) => piece.classes),
    ).toEqual([]);
  });

  test("markup stays text", () => {
    expect(terminalLines("<b>&amp;\u001b[31m<script>")[0]?.map((piece) => piece.text)).toEqual([
      "<b>&amp;",
      "<script>",
    ]);
  });
});

test("a last line end makes no empty line, an empty line in between stays", () => {
  expect(terminalLines("a\n\nb\n")).toHaveLength(3);
});
