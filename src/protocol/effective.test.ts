// Which score counts, as rows of records and the value expected of them.
import { expect, test } from "vitest";
import { effectiveScore } from "./effective.ts";
import type { Score } from "./model.ts";

function record(id: string, part: Partial<Score>): Score {
  return {
    id,
    runId: "r",
    trajectoryId: "t",
    actionId: "a",
    kind: "score",
    source: "coach",
    phase: "online",
    value: null,
    rationale: "",
    evidence: [],
    tags: [],
    author: "coach",
    basedOn: null,
    missingReason: null,
    promptSha256: null,
    promptTokenCount: null,
    outputTokenCount: null,
    cost: null,
    at: "2026-01-01T00:00:00.000Z",
    ...part,
  };
}
const online = (id: string, value: number | null) => record(id, { value });
const hindsight = (id: string, value: number | null) => record(id, { value, phase: "hindsight" });
const override = (id: string, value: number, basedOn: string | null = null) =>
  record(id, { kind: "override", source: "human", value, basedOn });
const undo = (id: string, basedOn: string) => record(id, { kind: "undo", source: "human", basedOn });

test.each<[string, Score[], { effective: string | null; coach: string | null; override: string | null }]>([
  ["nothing counts where there is no record", [], { effective: null, coach: null, override: null }],
  ["a missing score counts for nothing", [online("o", null)], { effective: null, coach: null, override: null }],
  ["the online score counts alone", [online("o", 4)], { effective: "o", coach: "o", override: null }],
  ["the newest online score counts", [online("o", 4), online("p", 5)], { effective: "p", coach: "p", override: null }],
  ["hindsight goes before online", [hindsight("h", 2), online("o", 4)], { effective: "h", coach: "h", override: null }],
  [
    "missing hindsight leaves online",
    [online("o", 4), hindsight("h", null)],
    { effective: "o", coach: "o", override: null },
  ],
  [
    "a missing repeat leaves the value before it",
    [online("o", 4), online("p", null)],
    { effective: "o", coach: "o", override: null },
  ],
  [
    "an override of 0 replaces the coach's value",
    [online("o", 4), override("x", 0)],
    { effective: "x", coach: "o", override: "x" },
  ],
  [
    "a later coach score does not replace an override",
    [override("x", 1), hindsight("h", 9)],
    { effective: "x", coach: "h", override: "x" },
  ],
  [
    "the newest override counts",
    [online("o", 4), override("x", 1), override("y", 2, "x")],
    { effective: "y", coach: "o", override: "y" },
  ],
  [
    "an undo brings back the coach's value",
    [online("o", 4), override("x", 1), undo("u", "x")],
    { effective: "o", coach: "o", override: null },
  ],
  [
    "an undo brings back the override before it",
    [override("x", 1), override("y", 2, "x"), undo("u", "y")],
    { effective: "x", coach: null, override: "x" },
  ],
  [
    "undo of both leaves the coach",
    [online("o", 4), override("x", 1), override("y", 2), undo("u", "y"), undo("v", "x")],
    { effective: "o", coach: "o", override: null },
  ],
  [
    "an override counts where the coach's is missing",
    [online("o", null), override("x", 7)],
    { effective: "x", coach: null, override: "x" },
  ],
])("%s", (_name, scores, expected) => {
  const found = effectiveScore(scores);
  expect({
    effective: found.effective?.id ?? null,
    coach: found.coach?.id ?? null,
    override: found.override?.id ?? null,
  }).toEqual(expected);
});
