// The queue begins where a look is likely to change what is trained.
import { expect, test } from "vitest";
import type { Trajectory } from "./protocol/model.ts";
import { reviewOrder, reviewValue, unscoredCount } from "./reviewOrder.ts";

interface Facts {
  kind?: Trajectory["outcome"]["kind"];
  reward?: number | null;
  mean?: number | null;
  min?: number | null;
  missing?: number;
  overrides?: number;
  purpose?: Trajectory["purpose"];
}

function trajectory(
  id: string,
  { kind = "completed", reward = 1, mean = 8, min = 7, missing = 0, overrides = 0, purpose = "train" }: Facts = {},
): Trajectory {
  return {
    ...{
      id,
      runId: "r",
      iterationId: "i1",
      purpose,
      sampleIndex: 0,
      title: id,
      agents: ["solver"],
      policyVersions: {},
    },
    task: { id: "task", setName: "arithmetic", problem: "", answer: null, meta: {} },
    outcome: { kind, reward, answer: null, boundary: null, message: null },
    ...{ actionCount: 4, meanScore: mean, minScore: min, missingScoreCount: missing, overrideCount: overrides },
    ...{ startedAt: "2026-01-01T00:00:00.000Z", endedAt: null, meta: {} },
  };
}

const none = () => false;

test.each<[string, Facts, Facts]>([
  ["a failed rollout comes before a good one with a low score", { kind: "failed", reward: null, min: 2 }, { min: 3 }],
  ["unscored actions come before a low score", { missing: 2, min: 6 }, { min: 3 }],
  [
    "a coach at odds with the outcome comes before one who agrees",
    { reward: 0, mean: 9, min: 4 },
    { reward: 1, mean: 9, min: 4 },
  ],
  ["one that was overridden comes after one that was not", { min: 3 }, { min: 3, overrides: 1 }],
])("%s", (_name, first, second) => {
  const rows = reviewOrder([trajectory("second", second), trajectory("first", first)], new Set(), none);
  expect(rows.map((row) => row.trajectory.id)).toEqual(["first", "second"]);
});

test.each<[string, Facts]>([
  ["nothing to find in it", {}],
  ["been made for evaluation, where nothing is trained", { min: 0, purpose: "evaluation" }],
  ["not ended yet", { kind: "running", min: 0 }],
])("a trajectory is left out when it has %s", (_name, facts) => {
  expect(reviewOrder([trajectory("a", facts)], new Set(), none)).toEqual([]);
});

test("what was opened goes behind what was not, however telling", () => {
  const rows = reviewOrder(
    [trajectory("seen", { min: 0, missing: 4 }), trajectory("new", { min: 4 })],
    new Set(),
    (id) => id === "seen",
  );
  expect(rows.map((row) => row.trajectory.id)).toEqual(["new", "seen"]);
});

test("the newest iteration comes first, since its overrides are still in time", () => {
  expect(reviewValue(trajectory("a", { min: 3 }), true).value).toBeGreaterThan(
    reviewValue(trajectory("a", { min: 3 }), false).value,
  );
});

test("a trajectory that nobody scored has as many unscored actions as actions", () => {
  expect(unscoredCount(trajectory("a", { mean: null, min: null }))).toBe(4);
  expect(reviewValue(trajectory("a", { mean: null, min: null }), false).reasons).toEqual(["missingScores"]);
});
