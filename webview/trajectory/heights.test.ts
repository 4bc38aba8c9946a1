// Row heights: sums, places and measurements agree with plain addition.
import { describe, expect, test } from "vitest";
import { guessHeight, Heights } from "./heights.ts";

function heightsOf(list: readonly number[]): Heights {
  const heights = new Heights();
  heights.resize(list.length, (index) => list[index] ?? 0);
  return heights;
}

const plainTop = (list: readonly number[], index: number) =>
  list.slice(0, index).reduce((sum, height) => sum + height, 0);

describe("heights", () => {
  test.each([1, 2, 3, 7, 8, 100, 1023])("of %d rows have the tops that addition gives", (count) => {
    const list = Array.from({ length: count }, (_, index) => 10 + ((index * 37) % 91));
    const heights = heightsOf(list);
    for (let index = 0; index <= count; index++) expect(heights.top(index)).toBeCloseTo(plainTop(list, index), 6);
    for (let index = 0; index < count; index++) {
      expect(heights.indexAt(heights.top(index))).toBe(index);
      expect(heights.indexAt(heights.top(index) + (list[index] ?? 0) - 0.5)).toBe(index);
    }
  });

  test("a measurement moves every row below it and none above", () => {
    const heights = heightsOf([100, 100, 100, 100]);
    expect(heights.set(1, 340)).toBe(240);
    expect([0, 1, 2, 3, 4].map((index) => heights.top(index))).toEqual([0, 100, 440, 540, 640]);
  });

  test("places outside are the first and the last row", () => {
    const heights = heightsOf([50, 50]);
    expect(heights.indexAt(-10)).toBe(0);
    expect(heights.indexAt(1e9)).toBe(1);
  });

  test("growing keeps what was measured", () => {
    const heights = heightsOf([100, 100]);
    heights.set(0, 30);
    heights.resize(4, () => 60);
    expect([heights.of(0), heights.of(1), heights.of(3), heights.total]).toEqual([30, 100, 60, 250]);
  });

  test("guessing again leaves measured rows alone until they are forgotten", () => {
    const heights = heightsOf([100, 100]);
    heights.set(0, 30);
    heights.guessAgain(() => 70);
    expect([heights.of(0), heights.of(1)]).toEqual([30, 70]);
    heights.forget();
    heights.guessAgain(() => 80);
    expect(heights.total).toBe(160);
  });
});

test("more text needs more room, up to where it is folded", () => {
  const guess = (size: number) => guessHeight({ size, hasToolCall: false }, 80);
  expect(guess(800)).toBeGreaterThan(guess(80));
  expect(guess(1_000_000)).toBe(guess(10_000));
  expect(guessHeight({ size: 80, hasToolCall: true }, 80)).toBeGreaterThan(guess(80));
});
