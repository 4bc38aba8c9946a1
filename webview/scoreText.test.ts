// Score chips: text, band, and what a screen reader says.
import { describe, expect, test } from "vitest";
import { bandOf, chipOf, consequenceText, scoreNumber, signed } from "./scoreText.ts";

const facts = { coach: null, override: null, author: null, isCovered: false };

describe("a score chip", () => {
  test.each([
    ["a whole score", { coach: 8 }, "8", "high"],
    ["a score with one decimal", { coach: 7.25 }, "7.3", "high"],
    ["nought is a score", { coach: 0 }, "0", "low"],
    ["a missing score is a dash", {}, "–", "missing"],
    ["an override shows both", { coach: 4, override: 8, author: "Jana" }, "4 → 8", "high"],
    ["an override of a missing score", { override: 2, author: "Jana" }, "– → 2", "low"],
    ["a covered score says nothing", { coach: 9, isCovered: true }, "", "missing"],
  ])("%s", (_name, more, text, band) => {
    expect(chipOf({ ...facts, ...more })).toMatchObject({ text, band });
  });

  test("names the person by the initial and in full", () => {
    const chip = chipOf({ ...facts, coach: 4, override: 8, author: "jana novak" });
    expect(chip.initial).toBe("J");
    expect(chip.label).toContain("jana novak");
  });

  test("does not give a covered score away in its label", () => {
    expect(chipOf({ ...facts, coach: 9, isCovered: true }).label).not.toMatch(/\d/);
  });
});

test.each([
  [0, "low"],
  [3.99, "low"],
  [4, "middle"],
  [6.99, "middle"],
  [7, "high"],
  [null, "missing"],
])("the band of %s is %s", (value, band) => {
  expect(bandOf(value)).toBe(band);
});

test.each([
  [-0.82, "−0.8"],
  [0.44, "+0.4"],
  [-0.04, "0.0"],
  [null, "–"],
])("the advantage %s reads %s", (value, text) => {
  expect(signed(value)).toBe(text);
});

test.each([
  [-0.8, 0.4, true],
  [0.8, 0.4, false],
  [0, 0.4, false],
  [null, 0.4, false],
])("from %s to %s the sign turns: %s", (before, after, isFlip) => {
  expect(consequenceText(before, after).isFlip).toBe(isFlip);
});

test("a score never shows a negative nought", () => {
  expect(scoreNumber(-0.01)).toBe("0");
});
