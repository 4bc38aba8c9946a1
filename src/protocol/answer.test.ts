// Rows of answers as models and task files write them.
import { describe, expect, test } from "vitest";
import { answerNumber, boxedAnswer, isSameAnswer, rationalText } from "./answer.ts";

describe("the boxed answer", () => {
  test.each([
    ["\\boxed{42}", "42"],
    ["first \\boxed{1}, then \\boxed{2}.", "2"],
    ["\\boxed{\\frac{3}{4}}", "\\frac{3}{4}"],
    ["\\boxed{ 7 }", "7"],
    ["\\boxed{1} and \\boxed{2", "1"],
    ["\\boxed{a\\}b}", "a\\}b"],
    ["\\boxed{12", null],
    ["the answer is 12", null],
    ["\\boxed 5", null],
    ["", null],
  ])("of %s is %s", (text, answer) => {
    expect(boxedAnswer(text)).toBe(answer);
  });
});

describe("the number", () => {
  test.each([
    ["42", "42"],
    ["-7", "-7"],
    ["−7", "-7"],
    ["142.0", "142"],
    [".5", "1/2"],
    ["1,234,567", "1234567"],
    ["1{,}234", "1234"],
    ["\\$18", "18"],
    ["$3$", "3"],
    ["3/4", "3/4"],
    ["-6/8", "-3/4"],
    ["\\frac{3}{4}", "3/4"],
    ["-\\dfrac{1}{2}", "-1/2"],
    ["\\frac12", "1/2"],
    ["1e3", "1000"],
    ["5 \\text{ cm}", "5"],
    ["70.", "70"],
    ["033", "33"],
  ])("in %s is %s", (text, number) => {
    const value = answerNumber(text);
    expect(value === null ? null : rationalText(value)).toBe(number);
  });

  test.each(["", "x", "12,34", "1/0", "1e999999999", "9".repeat(300), "1 apple", "3/4/5", "--3", "Infinity", "0x10"])(
    "is not in %s",
    (text) => {
      expect(answerNumber(text)).toBeNull();
    },
  );
});

describe("two answers", () => {
  test.each([
    ["142", "142.0", true],
    ["0.75", "3/4", true],
    ["1,000", "1000", true],
    ["12", "21", false],
    ["12", "", false],
    ["", "", false],
    ["\\sqrt{2}", "\\sqrt 2", false],
    ["\\left( 3, \\frac{\\pi}{2} \\right)", "(3,\\dfrac{\\pi}{2})", true],
    ["x", "5", false],
    ["0.3333", "1/3", false],
  ])("%s and %s: %s", (answer, truth, isSame) => {
    expect(isSameAnswer(answer, truth)).toBe(isSame);
  });
});
