// Arithmetic as models write it: computed exactly, never run.
import { describe, expect, test } from "vitest";
import { rationalText } from "../../src/protocol/answer.ts";
import { expression, expressionsIn } from "./expression.ts";

describe("an expression", () => {
  test.each([
    ["3 + 4 * 5", "23"],
    ["(3 + 4) * 5", "35"],
    ["2 - 3 - 4", "-5"],
    ["12 / 5", "12/5"],
    ["0.1 + 0.2", "3/10"],
    ["7 // 2", "3"],
    ["-7 // 2", "-4"],
    ["-7 % 3", "2"],
    ["2 ** 3 ** 2", "512"],
    ["-2 ** 2", "-4"],
    ["2 ** -1", "1/2"],
    ["2^10", "1024"],
    ["3 × 4 − 2", "10"],
    ["1,234 + 1", "1235"],
    ["--3", "3"],
  ])("%s is %s", (text, value) => {
    const found = expression(text).value;
    expect(found === null ? null : rationalText(found)).toBe(value);
  });

  test.each([
    "3 +",
    "(3 + 4",
    "3 4",
    "1 / 0",
    "9 ** 9 ** 9",
    "2 ** 0.5",
    "",
    "()",
    "0 ** -1",
    "((((((((9**64)**64)**64)**64)**64)**64)**64)**64)",
    `1${"+1".repeat(400)}`,
  ])("%s has no value", (text) => {
    expect(expression(text).value).toBeNull();
  });

  test.each([
    ["Compute 3 + 4", ["3 + 4"]],
    ["We have 5 apples and 3 pens.", []],
    ["so 3 * 4 = 12, then 12 - 5.", ["3 * 4", "12 - 5"]],
    ["first (2 + 3) * 4\nthen 9 / 3", ["(2 + 3) * 4", "9 / 3"]],
    ["2 + (3", ["2 + (3"]],
    ["no number", []],
  ])("is found in %j", (text, found) => {
    expect(expressionsIn(text).map((one) => one.text)).toEqual(found);
  });
});
