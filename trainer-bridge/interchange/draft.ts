// What every importer makes of its format: trajectories without ids. The ids follow from the content, so a second import is recognised.
import { createHash } from "node:crypto";
import type {
  Action,
  ActionTokens,
  Message,
  Outcome,
  Score,
  Task,
  ToolCall,
  Trajectory,
} from "../../src/protocol/model.ts";
import { asName, type Json } from "./loose.ts";

/** Something that was mended or left out, and where in the file. */
export interface Problem {
  readonly where: string;
  readonly message: string;
}

/** A tool call as far as the file tells. */
export interface DraftCall {
  /** The file's own id of the call, where it has one. */
  readonly id: string | undefined;
  readonly tool: string;
  readonly language: string | null;
  readonly input: string;
  /** What the tool answered; null where the file has no answer. */
  output: string | null;
}

/** The coach's value for one action, as the file holds it. */
export interface DraftScore {
  readonly value: number | null;
  readonly rationale: string;
  readonly missingReason: string | null;
}

/** One action to be. `observation`: the messages that came since the action before, or all that the agent saw where the file tells. */
export interface Turn {
  readonly agent: string;
  readonly role: string;
  readonly observation: readonly Message[];
  readonly text: string;
  readonly thinking: string | null;
  readonly toolCalls: readonly DraftCall[];
  readonly score: DraftScore | null;
}

/** One trajectory to be. */
export interface Draft {
  readonly task: Task;
  readonly sampleIndex: number;
  readonly outcome: Outcome;
  readonly turns: readonly Turn[];
  /** Labels and facts of the format that have no field of their own. */
  readonly meta: Record<string, Json>;
  /** When it was made, ISO 8601; undefined where the file does not say. */
  readonly startedAt?: string | undefined;
}

/** A trajectory with its actions and the scores the file held, as the store takes it. */
export interface ImportedTrajectory {
  readonly trajectory: Trajectory;
  readonly actions: readonly {
    readonly action: Action;
    readonly tokens: ActionTokens | null;
    readonly scores: readonly Score[];
  }[];
}

/** SHA-256 in hex, the first 32 digits: enough that no two contents meet. */
export function contentId(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 32);
}

/** An outcome as a file tells it: completed with a reward where it has one, else unknown. */
export function importedOutcome(reward: number | null, answer: string | null = null): Outcome {
  return { kind: reward === null ? "unknown" : "completed", reward, answer, boundary: null, message: null };
}

/** Gives the drafts their ids. Two with the same content are both kept, told apart by their order in the file. */
export function assembled(drafts: readonly Draft[], runId: string, at: string): ImportedTrajectory[] {
  const seen = new Map<string, number>();
  return drafts.map((draft) => {
    const hash = contentId(JSON.stringify(draft));
    const count = (seen.get(hash) ?? 0) + 1;
    seen.set(hash, count);
    return trajectoryOf(draft, count === 1 ? hash : `${hash}-${count}`, runId, at);
  });
}

function trajectoryOf(draft: Draft, id: string, runId: string, at: string): ImportedTrajectory {
  const turnsOf = new Map<string, number>();
  const startedAt = draft.startedAt ?? at;
  const actions = draft.turns.map((turn, index) => {
    const turnIndex = turnsOf.get(turn.agent) ?? 0;
    turnsOf.set(turn.agent, turnIndex + 1);
    const action: Action = {
      id: `${id}-${index}`,
      runId,
      trajectoryId: id,
      index,
      turn: turnIndex,
      agent: turn.agent,
      role: turn.role,
      dependsOn: index === 0 ? [] : [`${id}-${index - 1}`],
      observation: [...turn.observation],
      text: turn.text,
      thinking: turn.thinking,
      toolCalls: turn.toolCalls.map((call, place) => toolCallOf(call, `${id}-${index}-${place}`)),
      finishReason: turn.toolCalls.length > 0 ? "toolCalls" : "unknown",
      isTruncated: false,
      policyVersion: null,
      promptTokenCount: null,
      outputTokenCount: null,
      startedAt: null,
      durationMs: null,
    };
    return { action, tokens: null, scores: turn.score === null ? [] : [scoreOf(turn.score, action, startedAt)] };
  });
  const trajectory: Trajectory = {
    id,
    runId,
    iterationId: null,
    purpose: "import",
    task: draft.task,
    sampleIndex: draft.sampleIndex,
    title: asName(draft.task.problem, draft.task.id),
    agents: [...turnsOf.keys()],
    policyVersions: {},
    outcome: draft.outcome,
    actionCount: actions.length,
    meanScore: null,
    minScore: null,
    missingScoreCount: 0,
    overrideCount: 0,
    startedAt,
    endedAt: startedAt,
    meta: draft.meta,
  };
  return { trajectory, actions };
}

function toolCallOf(call: DraftCall, otherwise: string): ToolCall {
  return {
    id: call.id !== undefined && call.id.length > 0 && call.id.length <= 200 ? call.id : otherwise,
    tool: call.tool,
    language: call.language,
    input: call.input,
    status: "unknown",
    message: call.output === null ? "The file has no answer to this call." : null,
    exitCode: null,
    stdout: call.output ?? "",
    stderr: "",
    stdoutBlob: null,
    stderrBlob: null,
    outputs: [],
    filesBefore: [],
    filesAfter: [],
    durationMs: null,
  };
}

function scoreOf(score: DraftScore, action: Action, at: string): Score {
  return {
    id: `${action.id}-coach`,
    runId: action.runId,
    trajectoryId: action.trajectoryId,
    actionId: action.id,
    kind: "score",
    source: "coach",
    phase: "online",
    value: score.value,
    rationale: score.rationale,
    evidence: [],
    tags: ["imported"],
    author: "MAPPA coach",
    basedOn: null,
    missingReason: score.missingReason,
    promptSha256: null,
    promptTokenCount: null,
    outputTokenCount: null,
    cost: null,
    at,
  };
}
