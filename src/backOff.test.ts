// Attempts to reach the trainer become rarer and stay apart.
import { expect, test } from "vitest";
import { backOffMs } from "./backOff.ts";

test.each([
  [1, 0, 250],
  [1, 1, 500],
  [2, 1, 1000],
  [4, 0, 2000],
  [7, 1, 30_000],
  [500, 1, 30_000],
])("attempt %i with chance %d waits %i ms", (attempt, chance, expected) => {
  expect(backOffMs(attempt, () => chance)).toBe(expected);
});
