import { expect, test } from "vitest";
import { agentTitle, versionText } from "./title.ts";

test.each([
  ["problem_solver", "Problem Solver"],
  ["verifier", "Verifier"],
  ["WebSurfer", "WebSurfer"],
  ["Orchestrator (thought)", "Orchestrator (thought)"],
  ["", ""],
])("the agent %j is shown as %j", (agent, title) => {
  expect(agentTitle(agent)).toBe(title);
});

test.each([
  ["problem_solver_b99e43@v3", "v3"],
  ["gpt-4o-2024-08-06", "gpt-4o-2024-08-06"],
])("the policy %j is shown as %j", (policyVersion, text) => {
  expect(versionText(policyVersion)).toBe(text);
});
