// Teams are data: the built-in ones are sound, and a wrong one is refused with every place that is wrong.
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { fillTemplate, placeholders } from "./template.ts";
import { parseWorkflow, WORKFLOW_NAMES, WorkflowError, workflow } from "./workflow.ts";

const agent = { name: "solver", role: "Solver", duty: "Solve it.", system: "", user: "{problem}" };
const team = { name: "mine", title: "Mine", agents: [agent], finalAgent: "solver", answer: "boxed" };

test.each(WORKFLOW_NAMES)("the workflow %s is sound", (name) => {
  expect(workflow(name)).toMatchObject({ name, finalAgent: "verifier", answer: "boxed" });
  expect(workflow(name).agents.map((one) => one.name)).toEqual(["problem_solver", "code_executor", "verifier"]);
});

test("the small team is told exactly what the shipped policy was warm-started on", () => {
  const file = path.join(import.meta.dirname, "../policy/prompts.json");
  const Prompts = z.object({ agents: z.array(z.object({ agent: z.string(), system: z.string(), user: z.string() })) });
  const { agents } = Prompts.parse(JSON.parse(readFileSync(file, "utf8")));
  expect(workflow("tiny-math").agents.map(({ name, system, user }) => ({ agent: name, system, user }))).toEqual(
    agents.map(({ agent: name, system, user }) => ({ agent: name, system, user })),
  );
  expect(workflow("tiny-math").toolOutput).toMatchObject({
    style: "short",
    error: "error: {last_line}",
    empty: "no output",
  });
});

test("every prompt of the large team tells place, token limit, turns and whose answer counts", () => {
  for (const one of workflow("math-chat").agents) {
    const told = placeholders(`${one.system}${one.user}`);
    expect(told).toEqual(expect.arrayContaining(["position", "agent_count", "max_tokens", "turns_left", "problem"]));
    expect(one.system).toMatch(/only (the answer of the \{final_role\}|it) counts/i);
  }
  expect(workflow("math-chat").agents[1]).toMatchObject({ tool: "python", maxTurns: 2 });
  expect(placeholders(workflow("math-chat").agents[2]?.user ?? "")).not.toContain("problem_solver");
});

test("another sequential team is expressible as JSON", () => {
  const critic = { ...agent, name: "critic", user: "{problem}\n{solver}\n{solver_output}" };
  const parsed = parseWorkflow({ ...team, agents: [agent, critic], finalAgent: "critic" });
  expect(parsed.agents[1]).toMatchObject({ name: "critic", tool: null, maxTurns: 1 });
  expect(parsed.toolOutput).toMatchObject({ style: "full", limit: 16_000 });
});

describe("a workflow is refused", () => {
  test.each([
    [
      "with an unknown placeholder",
      { ...team, agents: [{ ...agent, user: "{question}" }] },
      "{question} is not known here",
    ],
    [
      "that refers to a later agent",
      {
        ...team,
        agents: [
          { ...agent, user: "{critic}" },
          { ...agent, name: "critic" },
        ],
      },
      "{critic} is not known",
    ],
    ["with two agents of one name", { ...team, agents: [agent, agent] }, 'two agents are called "solver"'],
    ["whose final agent is missing", { ...team, finalAgent: "nobody" }, '"nobody" is not an agent'],
    ["with no agents", { ...team, agents: [] }, "agents"],
    ["with a bad agent name", { ...team, agents: [{ ...agent, name: "A b" }] }, "lower-case"],
    ["with a misspelt field", { ...team, agents: [{ ...agent, prompt: "" }] }, "prompt"],
    ["that is no object", 7, "workflow"],
  ])("%s", (_name, json, message) => {
    expect(() => parseWorkflow(json)).toThrow(WorkflowError);
    expect(() => parseWorkflow(json)).toThrow(message);
  });

  test("by an unknown name, inherited ones included", () => {
    expect(() => workflow("toString")).toThrow("there are tiny-math, math-chat");
  });
});

describe("a template", () => {
  test("fills each placeholder once: what was filled in is never a template", () => {
    expect(fillTemplate("{a} {b} $& {a}", { a: "{b} $1 {{", b: "x" })).toBe("{b} $1 {{ x $& {b} $1 {{");
  });

  test("writes braces as {{ and }}, and leaves other braces alone", () => {
    expect(fillTemplate("\\boxed{{{a}}} { x } {} {1}", { a: "5" })).toBe("\\boxed{5} { x } {} {1}");
  });

  test("names what there is when a field is missing", () => {
    expect(() => fillTemplate("{toString}", { problem: "" })).toThrow(
      "{toString} is not known here; there are {problem}.",
    );
  });
});
