// Texts as models write them, taken apart.
import { describe, expect, test } from "vitest";
import { codeBlocks, splitThinking } from "./textParts.ts";

describe("thinking", () => {
  test.each([
    ["plain", "plain", null],
    ["<think>a</think>b", "b", "a"],
    ["<think>\n\n</think>\n\nb", "b", null],
    ["a</think>b", "b", "a"],
    ["<think>never closed", "", "never closed"],
    ["x<think>a</think>y<think>b</think>z", "xyz", "a\n\nb"],
    ["  spaces kept  ", "  spaces kept  ", null],
  ])("is split off %j", (raw, text, thinking) => {
    expect(splitThinking(raw)).toEqual({ text, thinking });
  });
});

describe("code blocks", () => {
  test.each([
    ["one", "a\n```python\nprint(1)\n```\nb", ["print(1)"]],
    ["two, in order", "```python\n1\n```\n```py\n2\n```", ["1", "2"]],
    ["only Python", "```json\n{}\n```\n```\nplain\n```\n```Python\n3\n```", ["3"]],
    ["with CRLF", "```python\r\nprint(1)\r\n```\r\n", ["print(1)"]],
    ["that were never closed are not run", "```python\nprint(1)", []],
    ["of nothing are not run", "```python\n \n```", []],
    ["with a longer fence may hold a fence", "````python\ns = '''\n```\n'''\n````", ["s = '''\n```\n'''"]],
    ["indented in a list", "1. so:\n   ```python\n   if x:\n     y\n   ```", ["if x:\n  y"]],
    ["inside another language are text", "```markdown\n```python\n1\n```", []],
    ["with tildes", "~~~python\n1\n~~~", ["1"]],
    ["behind words on the line are not blocks", "see ```python\nprint(1)\n", []],
  ])("%s", (_name, text, blocks) => {
    expect(codeBlocks(text)).toEqual(blocks);
  });
});
