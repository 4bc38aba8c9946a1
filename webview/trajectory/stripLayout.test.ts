// The reward strip: where marks stand and what a click on it means.
import { expect, test } from "vitest";
import { longTrajectory, markOf } from "../harness/teamData.ts";
import { indexAtPoint, pitchOf, stripBars } from "./stripLayout.ts";

const marks = (count: number) => longTrajectory(count).views.map(markOf);
const lanes = ["Problem Solver", "Code Executor", "Verifier"];

test("a short trajectory has a bar per action and is not stretched", () => {
  const bars = stripBars(marks(6), lanes, 600, () => false);
  expect(bars).toHaveLength(6);
  expect(pitchOf(6, 600)).toBe(18);
  expect(bars.map((bar) => bar.lane)).toEqual([0, 1, 2, 0, 1, 2]);
});

test("ten thousand actions share as many bars as the width has room for, all of it inside", () => {
  const bars = stripBars(marks(10_000), lanes, 300, () => false);
  expect(bars.length).toBeLessThanOrEqual(150 * 3);
  expect(Math.max(...bars.map((bar) => bar.x + bar.width))).toBeLessThanOrEqual(302);
});

test("a shared bar shows the mean of the scores there are; a missing one is no zero", () => {
  const [mark] = marks(1);
  if (mark === undefined) throw new Error("no mark");
  const three = [4, null, 8].map((coach, index) => ({ ...mark, index, coach, override: null }));
  const [bar] = stripBars(three, lanes, 3, () => false).filter((item) => item.scoredCount > 1);
  expect(bar?.coach ?? 6).toBe(6);
  expect(stripBars([{ ...mark, coach: null, override: null }], lanes, 100, () => false)[0]).toMatchObject({
    coach: null,
    isMissing: true,
  });
});

test("a covered score is not drawn, and is not called missing", () => {
  const [mark] = marks(2).slice(1);
  if (mark === undefined) throw new Error("no mark");
  expect(stripBars([{ ...mark, index: 0, coach: 7, override: null }], lanes, 100, () => true)[0]).toMatchObject({
    coach: null,
    isMissing: false,
  });
});

test.each([
  [0, 0],
  [299.99, 9999],
  [150, 5000],
  [-3, 0],
  [900, 9999],
])("a click at %d of 300 pixels is action %d of 10,000", (x, index) => {
  expect(indexAtPoint(x, 10_000, 300)).toBe(index);
});
