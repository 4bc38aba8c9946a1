// A goal is read with its direction, and words are no goal.
import { expect, test } from "vitest";
import { isMet } from "./goal.ts";

test.each([
  [19.9, "< 20", true],
  [20, "< 20", false],
  [20, "<= 20", true],
  [5000, ">= 5000", true],
  [4999, "≥ 5,000", false],
  [10, "> 9.5", true],
  [1, "as small as can be", undefined],
])("%d against %s is %s", (value, goal, met) => {
  expect(isMet({ value, goal })).toBe(met);
});
