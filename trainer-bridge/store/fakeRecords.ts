// Made-up records for tests and measurements of the store.
import type { Action, Score, Trajectory } from "../../src/protocol/model.ts";

const at = "2026-01-01T00:00:00.000Z";

/** A run as `createRun` takes it. */
export const fakeRun = (id = "run-1") => ({
  id,
  name: id,
  kind: "training" as const,
  workflow: "tiny-math",
  agents: ["solver", "verifier"],
  config: {},
});

/** A running trajectory without actions. */
export const fakeTrajectory = (id: string, more: Partial<Trajectory> = {}): Trajectory => ({
  id,
  runId: "run-1",
  iterationId: null,
  purpose: "train",
  task: { id: `task-${id}`, setName: "arithmetic", problem: "2 + 2?", answer: "4", meta: {} },
  sampleIndex: 0,
  title: id,
  agents: ["solver", "verifier"],
  policyVersions: {},
  outcome: { kind: "running", reward: null, answer: null, boundary: null, message: null },
  actionCount: 0,
  meanScore: null,
  minScore: null,
  missingScoreCount: 0,
  overrideCount: 0,
  startedAt: at,
  endedAt: null,
  meta: {},
  ...more,
});

/** An action of the solver with one tool call. */
export const fakeAction = (id: string, trajectoryId: string, index: number, more: Partial<Action> = {}): Action => ({
  id,
  runId: "run-1",
  trajectoryId,
  index,
  turn: index,
  agent: "solver",
  role: "solver",
  dependsOn: [],
  observation: [{ role: "user", content: "What is 2 + 2? Answer in a box." }],
  text: `Adding the numbers gives four, place ${index}.`,
  thinking: null,
  toolCalls: [fakeToolCall(`${id}-call`, "4\n")],
  finishReason: "stop",
  isTruncated: false,
  policyVersion: "solver@v0",
  promptTokenCount: 12,
  outputTokenCount: 9,
  startedAt: at,
  durationMs: 5,
  ...more,
});

/** A tool call that ended well and printed `stdout`. */
export const fakeToolCall = (id: string, stdout: string): Action["toolCalls"][number] => ({
  id,
  tool: "python",
  language: "python",
  input: "print(2 + 2)",
  status: "ok",
  message: null,
  exitCode: 0,
  stdout,
  stderr: "",
  stdoutBlob: null,
  stderrBlob: null,
  outputs: [],
  filesBefore: [],
  filesAfter: [],
  durationMs: 3,
});

/** A record of the rule coach. */
export const fakeScore = (id: string, action: Action, value: number | null, more: Partial<Score> = {}): Score => ({
  id,
  runId: action.runId,
  trajectoryId: action.trajectoryId,
  actionId: action.id,
  kind: "score",
  source: "rule",
  phase: "online",
  value,
  rationale: value === null ? "" : "The sum is right.",
  evidence: [],
  tags: [],
  author: "rules",
  basedOn: null,
  missingReason: value === null ? "The coach's reply could not be read." : null,
  promptSha256: null,
  promptTokenCount: null,
  outputTokenCount: null,
  cost: null,
  at,
  ...more,
});
