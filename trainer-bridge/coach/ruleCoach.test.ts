// The rule coach ranks what agents do: right over slightly wrong over useless, each in its own right.
import { describe, expect, test } from "vitest";
import type { Action, Task, ToolCall } from "../../src/protocol/model.ts";
import type { CoachContext, CoachedTeam, ScoreDraft } from "./coach.ts";
import { ruleCoach } from "./ruleCoach.ts";

const team: CoachedTeam = {
  title: "Small maths team",
  agents: [
    { name: "solver", role: "Solver", duty: "Plan.", tool: null },
    { name: "executor", role: "Executor", duty: "Code.", tool: "python" },
    { name: "verifier", role: "Verifier", duty: "Answer.", tool: null },
  ],
  finalAgent: "verifier",
  answer: "boxed",
};
const task = (answer: string | null): Task => ({
  id: "t",
  setName: "s",
  problem: "Ada fills 6 boxes with 7 pens and has 5 loose pens.",
  answer,
  meta: {},
});

function action(agent: string, text: string, calls: Partial<ToolCall>[] = [], more: Partial<Action> = {}): Action {
  const toolCalls = calls.map(
    (call, place): ToolCall => ({
      id: `${agent}.${place}`,
      tool: "python",
      language: "python",
      input: "print(6 * 7 + 5)",
      status: "ok",
      message: null,
      exitCode: 0,
      stdout: "",
      stderr: "",
      stdoutBlob: null,
      stderrBlob: null,
      outputs: [],
      filesBefore: [],
      filesAfter: [],
      durationMs: 1,
      ...call,
    }),
  );
  return {
    id: agent,
    runId: "r",
    trajectoryId: "j",
    index: 0,
    turn: 0,
    agent,
    role: agent,
    dependsOn: [],
    observation: [],
    text,
    thinking: null,
    toolCalls,
    finishReason: "stop",
    isTruncated: false,
    policyVersion: null,
    promptTokenCount: null,
    outputTokenCount: null,
    startedAt: null,
    durationMs: null,
    ...more,
  };
}

async function score(one: Action, earlier: Action[], answer: string | null, workflow = team): Promise<ScoreDraft> {
  const context: CoachContext = { workflow, action: one, earlier, task: task(answer), phase: "online" };
  const signal = new AbortController().signal;
  const drafted = await ruleCoach().score(context, signal);
  expect(await ruleCoach().score(context, signal)).toEqual(drafted);
  return drafted;
}

describe("a planner", () => {
  test.each([
    ["the right expression", "Compute 6 * 7 + 5", "47", 10],
    ["the right one in another order", "Compute 5 + 7 * 6", "47", 10],
    ["a long plan that ends in it", "Multiply: 6 * 7 = 42.\nThen 42 + 5 = 47.\nCompute 6 * 7 + 5", "47", 10],
    ["only the right number", "It is 47.", "47", 6],
    ["a swapped operator", "Compute 6 + 7 + 5", "47", 3],
    ["a dropped term", "Compute 6 * 7", "47", 2],
    ["an open bracket", "Compute (6 * 7 + 5", "47", 2],
    ["prose", "Think step by step.", "47", 1],
    ["nothing", " ", "47", 0],
    ["a whole expression, truth unknown", "Compute 6 * 7 + 5", null, 7],
    ["a part of it, truth unknown", "Compute 6 * 7", null, 4],
    ["a whole expression, truth no number", "Compute 6 * 7 + 5", "x^2", 7],
  ])("with %s", async (_name, text, answer, value) => {
    const drafted = await score(action("solver", text), [], answer);
    expect(drafted).toMatchObject({
      kind: "score",
      source: "rule",
      phase: "online",
      value,
      author: "rules",
      missingReason: null,
      basedOn: null,
    });
    expect(drafted.rationale.length).toBeGreaterThan(10);
  });

  test("is told where its fault stands", async () => {
    const drafted = await score(action("solver", "Read it.\nCompute 6 * 7"), [], "47");
    expect(drafted.evidence).toEqual([{ source: "text", toolCallId: null, lineFrom: 2, lineTo: 2, quote: "6 * 7" }]);
    expect(drafted.rationale).toContain("6 * 7 is 42, but the answer is 47.");
    expect(drafted.tags).toEqual(["wrongExpression", "numbersMissing"]);
  });
});

describe("an agent with a tool", () => {
  const right = action("solver", "Compute 6 * 7 + 5");
  const wrong = action("solver", "Compute 6 * 7");
  const prose = action("solver", "Think.");
  const code = (call: Partial<ToolCall>): Action => action("executor", "```python\n…\n```", [call]);
  test.each([
    ["computes what was asked", code({ stdout: "47\n" }), right, "47", 10],
    ["computes what was asked, though that is wrong", code({ stdout: "42\n" }), wrong, "47", 10],
    ["mends a wrong plan", code({ stdout: "47\n" }), wrong, "47", 9],
    ["solves it without a plan", code({ stdout: "total: 47.0\n" }), prose, "47", 10],
    ["computes something else", code({ stdout: "20\n" }), right, "47", 3],
    ["computes something without a plan", code({ stdout: "20\n" }), prose, "47", 4],
    ["prints no number", code({ stdout: "done\n" }), right, "47", 4],
    ["prints nothing", code({ stdout: "" }), right, "47", 3],
    [
      "has a syntax error",
      code({ status: "error", exitCode: 1, stderr: "  File x\nSyntaxError: '(' was never closed\n" }),
      right,
      "47",
      2,
    ],
    ["runs too long", code({ status: "timeout", message: "Ended after 30 s, the limit on time." }), right, "47", 2],
    ["writes no code", action("executor", "The result is 47."), right, "47", 1],
    ["writes nothing", action("executor", ""), right, "47", 0],
    ["computes what was asked, truth unknown", code({ stdout: "47\n" }), right, null, 10],
    ["prints a number, nothing known", code({ stdout: "47\n" }), prose, null, 6],
  ])("%s", async (_name, one, plan, answer, value) => {
    expect(await score(one, [plan], answer)).toMatchObject({ value, missingReason: null });
  });

  test("whose code was refused is not judged: the score is missing", async () => {
    expect(await score(code({ status: "refused" }), [right], "47")).toMatchObject({
      value: null,
      missingReason: expect.stringContaining("was not run"),
    });
  });

  test("may tell of its result in a later turn", async () => {
    const first = code({ stdout: "47\n" });
    expect(await score(action("executor", "There are 47 pens."), [right, first], "47")).toMatchObject({ value: 8 });
    expect(await score(action("executor", "All good."), [right, first], "47")).toMatchObject({ value: 4 });
  });

  test("is shown the line of the error", async () => {
    const drafted = await score(
      code({ status: "error", stderr: "Traceback\n  x\nNameError: name 'x'\n" }),
      [right],
      "47",
    );
    expect(drafted.evidence).toEqual([
      { source: "stderr", toolCallId: "executor.0", lineFrom: 3, lineTo: 3, quote: "NameError: name 'x'" },
    ]);
    expect(drafted.tags).toEqual(["codeFails"]);
  });
});

describe("the agent that answers", () => {
  const printed = (stdout: string): Action => action("executor", "code", [{ stdout }]);
  const failed = action("executor", "code", [{ status: "error", stderr: "NameError" }]);
  test.each([
    ["boxes the right number", "\\boxed{47}", printed("47\n"), "47", 10],
    ["boxes the right number though the program's is wrong", "\\boxed{47}", printed("42\n"), "47", 10],
    ["boxes the right number though the program failed", "\\boxed{47}", failed, "47", 10],
    ["reports the program's wrong number", "\\boxed{42}", printed("42\n"), "47", 8],
    ["boxes another number", "\\boxed{4}", printed("47\n"), "47", 2],
    ["makes a number up", "\\boxed{0}", failed, "47", 2],
    ["forgets to close the box", "\\boxed{47", printed("47\n"), "47", 4],
    ["forgets to close the box of another number", "\\boxed{4", printed("47\n"), "47", 2],
    ["forgets the box", "The answer is 47.", printed("47\n"), "47", 3],
    ["forgets the box of a negative number", "The answer is -3.", printed("-3\n"), "47", 3],
    ["says something else", "Nothing.", printed("47\n"), "47", 1],
    ["admits that there is no number", "The code failed.", failed, "47", 4],
    ["writes nothing", "", printed("47\n"), "47", 0],
    ["boxes the program's number, truth unknown", "\\boxed{47}", printed("47\n"), null, 8],
    ["boxes another number, truth unknown", "\\boxed{4}", printed("47\n"), null, 2],
  ])("%s", async (_name, text, before, answer, value) => {
    expect(
      await score(action("verifier", text), [action("solver", "Compute 6 * 7 + 5"), before], answer),
    ).toMatchObject({ value });
  });
});

test("a text that was cut off scores no more than 3", async () => {
  const drafted = await score(action("solver", "Compute 6 * 7 + 5", [], { isTruncated: true }), [], "47");
  expect(drafted).toMatchObject({ value: 3, tags: ["rightExpression", "truncated"] });
});

test.each([
  ["an agent that is not of the team", action("ghost", "x"), team, 'no agent "ghost"'],
  ["a team without a boxed answer", action("solver", "x"), { ...team, answer: null }, "only for maths teams"],
])("%s is not judged: the score is missing", async (_name, one, workflow, reason) => {
  expect(await score(one, [], "47", workflow)).toMatchObject({
    value: null,
    missingReason: expect.stringContaining(reason),
    rationale: "",
  });
});
