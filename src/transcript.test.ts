// The transcript as text says everything, and what a model wrote cannot break out of its fence.
import { expect, test } from "vitest";
import type { ActionView } from "./protocol/bridge.ts";
import type { Trajectory } from "./protocol/model.ts";
import { transcript } from "./transcript.ts";

const trajectory = {
  ...{ title: "Sum", task: { problem: "24 + 18?", answer: "42" }, agents: ["solver"], actionCount: 3 },
  ...{ outcome: { kind: "completed", reward: 1, message: null }, startedAt: "2026-01-01" },
} as unknown as Trajectory;

const view = (stdout: string, scores: unknown[] = []) =>
  ({
    action: {
      ...{ index: 0, turn: 0, agent: "solver\n# not a heading", text: "42", thinking: null, isTruncated: true },
      toolCalls: [
        {
          tool: "python",
          status: "ok",
          message: null,
          input: "print(42)",
          language: "python",
          stdout,
          stderr: "",
          filesAfter: [],
        },
      ],
    },
    cut: { text: 90_000 },
    scores,
  }) as unknown as ActionView;

test("actions, scores, cuts and what is left out are all said in words", () => {
  const coach = {
    id: "c",
    kind: "score",
    source: "coach",
    phase: "online",
    value: 4,
    author: "coach",
    rationale: "Wrong.",
    basedOn: null,
  };
  const mine = { ...coach, id: "h", kind: "override", source: "human", value: 0, author: "Ada", rationale: "Worse." };
  const text = transcript(trajectory, [view("42\n", [coach, mine])], 2);
  expect(text).toContain("## Action 1, solver # not a heading, turn 1: score 0 (coach 4, changed by Ada)");
  expect(text).toContain("### Reason of Ada: 0\n\nWorse.");
  expect(text).toContain("cut off by the length limit");
  expect(text).toContain("text has 90000 characters and is cut here");
  expect(text).toContain("## 2 further actions");
});

test("an action without a score says so and shows no number", () => {
  expect(transcript(trajectory, [view("")], 0)).toContain("turn 1: no score\n");
});

test.each([["```\n# escaped"], ["`````"], ["no ticks"]])("output %j stays inside its fence", (stdout) => {
  const lines = transcript(trajectory, [view(stdout)], 0).split("\n");
  const opening = lines.findIndex((line, index) => /^`+$/.test(line) && lines[index - 2] === "#### Output");
  const fence = lines[opening] ?? "";
  const closing = lines.indexOf(fence, opening + 1);
  expect(lines.slice(opening + 1, closing).join("\n")).toBe(stdout);
});
