// What a coach is: one action in its context → a process reward with its reasons, or why there is none.
import type { Action, Evidence, Outcome, Score, Task } from "../../src/protocol/model.ts";

/** A process reward before it has ids and a time. */
export type ScoreDraft = Omit<Score, "id" | "runId" | "trajectoryId" | "actionId" | "at">;

/** What a coach has to know of one agent. */
export interface CoachedAgent {
  readonly name: string;
  readonly role: string;
  /** What the agent has to do. */
  readonly duty: string;
  readonly tool: string | null;
}

/** What a coach has to know of the team; a workflow is one. */
export interface CoachedTeam {
  readonly title: string;
  readonly agents: readonly CoachedAgent[];
  readonly finalAgent: string;
  /** How the team's answer is written; null where nothing says. */
  readonly answer: "boxed" | null;
}

/** One action and what it is judged by. `outcome` is known in the hindsight phase only. */
export interface CoachContext {
  readonly workflow: CoachedTeam;
  readonly action: Action;
  /** The actions before it in the trajectory, oldest first. */
  readonly earlier: readonly Action[];
  readonly task: Task;
  readonly phase: Score["phase"];
  readonly outcome?: Outcome;
}

/** Judges actions. A score that could not be had is a draft with value null and a missingReason; only a cancellation throws. */
export interface Coach {
  readonly name: string;
  score(context: CoachContext, signal: AbortSignal): Promise<ScoreDraft>;
}

/** The team's agent that took this action. */
export function agentOf({ workflow, action }: CoachContext): CoachedAgent | null {
  return workflow.agents.find((agent) => agent.name === action.agent) ?? null;
}

/** A piece of evidence; lines are found from the quote, 1-based. */
export function evidenceFor(
  source: Evidence["source"],
  whole: string,
  quote: string,
  toolCallId: string | null = null,
): Evidence {
  const short = quote.length > 400 ? `${quote.slice(0, 400)}…` : quote;
  const at = quote === "" ? -1 : whole.indexOf(quote);
  if (at < 0) return { source, toolCallId, lineFrom: null, lineTo: null, quote: short };
  const lineFrom = whole.slice(0, at).split("\n").length;
  return { source, toolCallId, lineFrom, lineTo: lineFrom + quote.trimEnd().split("\n").length - 1, quote: short };
}
