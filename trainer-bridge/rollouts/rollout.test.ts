// Rollouts over fake policies and a fake sandbox: what is kept of every action, and how a rollout may end.
import { describe, expect, test } from "vitest";
import type { Action, ActionTokens, Task } from "../../src/protocol/model.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { emptyResult, type ToolResult } from "../sandbox/toolResult.ts";
import { parseWorkflow, type Workflow, workflow } from "../workflow/workflow.ts";
import { type RolloutInput, runRollout } from "./rollout.ts";
import { RolloutError } from "./rolloutError.ts";
import type { Policy, Sampled, SampleRequest } from "./sample.ts";

const task: Task = { id: "t1", setName: "s", problem: "Ada has 3 {verifier} pens and buys 4.", answer: "7", meta: {} };

/** Answers of one agent, turn by turn, under its own name. */
function fakePolicy(
  model: string,
  answers: readonly (string | Partial<Sampled>)[],
  asked: SampleRequest[] = [],
): Policy {
  let turn = 0;
  return {
    model,
    sample: async (request) => {
      asked.push(request);
      const answer = answers[turn++];
      if (answer === undefined) throw new Error("The fake policy has no more answers.");
      const text = typeof answer === "string" ? answer : (answer.text ?? "");
      const ids = [...text].map((character) => character.charCodeAt(0));
      const sampled: Sampled = {
        text,
        thinking: null,
        finishReason: "stop",
        model: request.model,
        promptTokenIds: [1, 2],
        tokenIds: ids,
        logprobs: ids.map(() => -0.5),
        promptTokenCount: 2,
        outputTokenCount: ids.length,
      };
      return { ...sampled, ...(typeof answer === "string" ? {} : answer) };
    },
  };
}

/** Runs nothing: gives the results one by one. */
function fakeSandbox(results: readonly Partial<ToolResult>[], codes: string[] = []): Sandbox {
  let place = 0;
  return {
    status: { state: "ready", message: "fake" },
    run: async (code) => {
      codes.push(code);
      return { ...emptyResult(code), status: "ok", exitCode: 0, ...results[place++] };
    },
    close: async () => {},
  };
}

interface Ran {
  readonly actions: Action[];
  readonly tokens: (ActionTokens | null)[];
  readonly result: Awaited<ReturnType<typeof runRollout>>;
}

async function rollOut(
  team: Workflow,
  policies: Record<string, Policy>,
  sandbox: Sandbox,
  more: Partial<RolloutInput> = {},
): Promise<Ran> {
  const actions: Action[] = [];
  const tokens: (ActionTokens | null)[] = [];
  const result = await runRollout({
    workflow: team,
    task,
    ids: { runId: "r", trajectoryId: "j" },
    policies,
    sandbox,
    temperature: 1,
    maxTokens: 96,
    seed: 5,
    signal: new AbortController().signal,
    onAction: (action, ids) => {
      actions.push(action);
      tokens.push(ids);
    },
    ...more,
  });
  return { actions, tokens, result };
}

const code = "```python\nprint(3 + 4)\n```";
const tiny = (asked: SampleRequest[] = [], executor = code, verifier = "\\boxed{7}"): Record<string, Policy> => ({
  problem_solver: fakePolicy("problem_solver@v3", ["Compute 3 + 4 {problem}"], asked),
  code_executor: fakePolicy("code_executor@v1", [executor], asked),
  verifier: fakePolicy("verifier@v2", [verifier], asked),
});

describe("a rollout of the small team", () => {
  test("keeps for every action what it saw, wrote, ran, and the token ids as sampled", async () => {
    const asked: SampleRequest[] = [];
    const { actions, tokens, result } = await rollOut(
      workflow("tiny-math"),
      tiny(asked),
      fakeSandbox([{ stdout: "7\n" }]),
    );
    expect(result).toEqual({
      outcome: { kind: "completed", reward: 1, answer: "7", boundary: null, message: null },
      answer: "7",
      actionCount: 3,
    });
    expect(
      actions.map(({ id, index, agent, policyVersion, dependsOn }) => [id, index, agent, policyVersion, dependsOn]),
    ).toEqual([
      ["j.0", 0, "problem_solver", "problem_solver@v3", []],
      ["j.1", 1, "code_executor", "code_executor@v1", ["j.0"]],
      ["j.2", 2, "verifier", "verifier@v2", ["j.1"]],
    ]);
    expect(actions.map((action) => action.observation)).toEqual(asked.map((request) => request.messages));
    expect(actions[1]?.observation).toEqual([
      { role: "system", content: "Code Executor" },
      { role: "user", content: `${task.problem}\nCompute 3 + 4 {problem}` },
    ]);
    expect(actions[2]?.observation[1]?.content).toBe(`${task.problem}\n7`);
    expect(actions[1]?.toolCalls).toMatchObject([{ id: "j.1.0", input: "print(3 + 4)", stdout: "7\n", status: "ok" }]);
    expect(tokens[2]).toEqual({
      actionId: "j.2",
      promptTokenIds: [1, 2],
      tokenIds: [...new TextEncoder().encode("\\boxed{7}")],
      logprobs: Array(9).fill(-0.5),
      temperature: 1,
    });
    expect(new Set(asked.map((request) => request.seed)).size).toBe(3);
  });

  test.each([
    ["nothing printed", { stdout: " \n" }, "no output"],
    [
      "a failure",
      { status: "error" as const, stderr: "Traceback\n  x\nNameError: name 'x' is not defined\n" },
      "error: NameError: name 'x' is not defined",
    ],
    ["a failure after output", { status: "error" as const, stdout: "5\n", stderr: "ValueError" }, "5"],
    ["a silent timeout", { status: "timeout" as const, message: "Ended after 30 s." }, "error: Ended after 30 s."],
  ])("tells the next agent of %s", async (_name, ran, told) => {
    const { actions } = await rollOut(workflow("tiny-math"), tiny(), fakeSandbox([ran]));
    expect(actions[2]?.observation[1]?.content).toBe(`${task.problem}\n${told}`);
  });

  test("without code runs nothing and says no output", async () => {
    const codes: string[] = [];
    const { actions } = await rollOut(workflow("tiny-math"), tiny([], "The result is 7."), fakeSandbox([], codes));
    expect(codes).toEqual([]);
    expect(actions[2]?.observation[1]?.content).toBe(`${task.problem}\nno output`);
  });

  test("is readable but not trainable where the server gives no token ids", async () => {
    const policies = { ...tiny(), verifier: fakePolicy("verifier@v2", [{ text: "\\boxed{8}", logprobs: null }]) };
    const { tokens, result } = await rollOut(workflow("tiny-math"), policies, fakeSandbox([{ stdout: "7" }]));
    expect(tokens[2]).toBeNull();
    expect(result.outcome).toMatchObject({ kind: "completed", reward: 0, answer: "8" });
  });

  test("marks a text that was cut off", async () => {
    const policies = {
      ...tiny(),
      problem_solver: fakePolicy("problem_solver@v3", [{ text: "Compute 3 +", finishReason: "length" }]),
    };
    const { actions } = await rollOut(workflow("tiny-math"), policies, fakeSandbox([]));
    expect(actions[0]).toMatchObject({ finishReason: "length", isTruncated: true });
  });
});

describe("an agent with several turns", () => {
  const team = workflow("math-chat");
  const policies = (executor: readonly string[], asked: SampleRequest[] = []): Record<string, Policy> => ({
    problem_solver: fakePolicy("solver", ["Add."]),
    code_executor: fakePolicy("executor", executor, asked),
    verifier: fakePolicy("verifier", ["\\boxed{7}"]),
  });

  test("sees its own text and the output, is told the turns left, and stops at its last turn", async () => {
    const asked: SampleRequest[] = [];
    const codes: string[] = [];
    const sandbox = fakeSandbox([{ status: "error", stderr: "boom" }, { stdout: "7\n" }, { stdout: "8\n" }], codes);
    const { actions } = await rollOut(
      team,
      policies(["```python\nprint(1\n```", `${code}\nand\n${code}`], asked),
      sandbox,
    );
    expect(codes).toEqual(["print(1", "print(3 + 4)", "print(3 + 4)"]);
    expect(actions.map(({ agent, turn }) => [agent, turn])).toEqual([
      ["problem_solver", 0],
      ["code_executor", 0],
      ["code_executor", 1],
      ["verifier", 0],
    ]);
    expect(asked[1]?.messages.map((message) => message.role)).toEqual(["system", "user", "assistant", "user"]);
    expect(asked[1]?.messages[3]?.content).toMatch(/\[error\]\n\[stderr\]\nboom\n\nYou have 1 turn left/);
    expect(asked[0]?.messages).toHaveLength(2);
    expect(actions[2]?.dependsOn).toEqual(["j.0", "j.1"]);
    expect(actions[3]?.dependsOn).toEqual(["j.2"]);
    expect(actions[3]?.observation[1]?.content).toContain("Block 1 of 2:\n7\n\nBlock 2 of 2:\n8");
  });

  test("ends early when it calls no tool; what it printed before is still told", async () => {
    const { actions } = await rollOut(team, policies([code, "It is 7."]), fakeSandbox([{ stdout: "7\n" }]));
    expect(actions).toHaveLength(4);
    expect(actions[3]?.dependsOn).toEqual(["j.1", "j.2"]);
    expect(actions[3]?.observation[1]?.content).toMatch(/It is 7\.\n\nIts program gave:\n7\n/);
  });

  test("long output reaches the next agent by head and tail with the traceback whole", async () => {
    const traceback = "Traceback (most recent call last):\n  File x\nValueError: cause";
    const { actions } = await rollOut(
      team,
      policies([code, "done"]),
      fakeSandbox([{ status: "error", stdout: "x".repeat(50_000), stderr: `${"w".repeat(50_000)}\n${traceback}` }]),
    );
    const seen = actions[2]?.observation[3]?.content ?? "";
    expect(seen).toContain(traceback);
    expect(seen).toContain("characters left out");
    expect(seen.length).toBeLessThan(17_000);
  });
});

describe("a rollout fails as data", () => {
  const failing = (error: unknown): Policy => ({ model: "verifier@v2", sample: () => Promise.reject(error) });

  test("when a policy cannot be reached: the actions before it are kept", async () => {
    const policies = { ...tiny(), verifier: failing(new RolloutError("policy", "gone")) };
    const { actions, result } = await rollOut(workflow("tiny-math"), policies, fakeSandbox([{ stdout: "7" }]));
    expect(actions).toHaveLength(2);
    expect(result.outcome).toEqual({ kind: "failed", reward: null, answer: null, boundary: "policy", message: "gone" });
  });

  test("when the sandbox refuses: the action with its refused call is kept", async () => {
    const sandbox = fakeSandbox([{ status: "refused", message: "No bubblewrap. Install it." }]);
    const { actions, result } = await rollOut(workflow("tiny-math"), tiny(), sandbox);
    expect(actions[1]?.toolCalls[0]?.status).toBe("refused");
    expect(result.outcome).toMatchObject({
      kind: "failed",
      boundary: "tool",
      message: "The code of Code Executor was not run. No bubblewrap. Install it.",
    });
  });

  test.each([
    ["another version", "verifier@v2", "verifier@v3"],
    ["a name that begins alike", "verifier@v2", "verifier@v2-1"],
    ["another model", "gpt-x", "gpt-y"],
  ])("when the server answers as %s", async (_name, asked, echoed) => {
    const policies = { ...tiny(), verifier: fakePolicy(asked, [{ text: "\\boxed{7}", model: echoed }]) };
    const { actions, result } = await rollOut(workflow("tiny-math"), policies, fakeSandbox([{ stdout: "7" }]));
    expect(actions).toHaveLength(2);
    expect(result.outcome).toMatchObject({
      kind: "failed",
      boundary: "policy",
      message: expect.stringContaining(`answered as "${echoed}"`),
    });
  });

  test("when a model that is not frozen changes between two turns", async () => {
    const policies = {
      problem_solver: fakePolicy("gpt", ["Add."]),
      code_executor: fakePolicy("gpt", [
        { text: code, model: "gpt-2026-01-01" },
        { text: code, model: "gpt-2026-02-02" },
      ]),
      verifier: fakePolicy("gpt", ["\\boxed{7}"]),
    };
    const { actions, result } = await rollOut(workflow("math-chat"), policies, fakeSandbox([{ stdout: "7" }]));
    expect(actions.map((action) => action.policyVersion)).toEqual(["gpt", "gpt-2026-01-01"]);
    expect(result.outcome).toMatchObject({ kind: "failed", boundary: "policy" });
  });

  test("when ids and log-probabilities do not fit together", async () => {
    const policies = {
      ...tiny(),
      problem_solver: fakePolicy("problem_solver@v3", [{ text: "Compute", logprobs: [-1] }]),
    };
    const { actions, result } = await rollOut(workflow("tiny-math"), policies, fakeSandbox([]));
    expect(actions).toEqual([]);
    expect(result).toMatchObject({
      actionCount: 0,
      outcome: { boundary: "policy", message: expect.stringContaining("7 token ids but 1 log-prob") },
    });
  });

  test("when an agent has no policy", async () => {
    const { result } = await rollOut(workflow("tiny-math"), {}, fakeSandbox([]));
    expect(result.outcome).toMatchObject({
      kind: "failed",
      boundary: "policy",
      message: expect.stringContaining('"problem_solver"'),
    });
  });

  test("when it is cancelled: that is no failure of the policy", async () => {
    const cancel = new AbortController();
    const policies = {
      ...tiny(),
      code_executor: {
        model: "code_executor@v1",
        sample: async () => {
          cancel.abort();
          cancel.signal.throwIfAborted();
          throw new Error("unreachable");
        },
      },
    };
    const { actions, result } = await rollOut(workflow("tiny-math"), policies, fakeSandbox([]), {
      signal: cancel.signal,
    });
    expect(actions).toHaveLength(1);
    expect(result.outcome).toEqual({
      kind: "cancelled",
      reward: null,
      answer: null,
      boundary: null,
      message: "The rollout was cancelled.",
    });
  });

  test("but a bug is thrown, and so is what the store says", async () => {
    await expect(
      rollOut(workflow("tiny-math"), { ...tiny(), verifier: failing(new TypeError("bug")) }, fakeSandbox([])),
    ).rejects.toThrow(TypeError);
    const full = new Error("disk full");
    const onAction = (): never => {
      throw full;
    };
    await expect(rollOut(workflow("tiny-math"), tiny(), fakeSandbox([]), { onAction })).rejects.toBe(full);
  });
});

test("a team without an answer form still completes", async () => {
  const team = parseWorkflow({
    name: "one",
    title: "One",
    agents: [{ name: "a", role: "A", duty: "d", system: "", user: "{problem}" }],
    finalAgent: "a",
    answer: null,
  });
  const { result } = await rollOut(team, { a: fakePolicy("a@v0", ["hello"]) }, fakeSandbox([]));
  expect(result.outcome).toMatchObject({ kind: "completed", reward: null, answer: null });
});
