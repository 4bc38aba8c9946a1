// The training batch of one agent: which actions, under which scores, with which tokens.
import { effectiveScore } from "../../src/protocol/effective.ts";
import type { Action, ActionTokens, Iteration, Score } from "../../src/protocol/model.ts";
import type { Store } from "../store/store.ts";
import { knownTrajectories } from "./rolloutStage.ts";

/** One action of a batch with the score in effect; `tokens` null where the policy gave no token ids. */
export interface BatchAction {
  readonly action: Action;
  readonly tokens: ActionTokens | null;
  readonly effective: Score | null;
  readonly coach: Score | null;
  readonly override: Score | null;
}

/**
 * The batch of an iteration, by agent: every action of its completed training rollouts, and those actions of earlier iterations
 * (at most `policyLagLimit` back) whose override came after their own iteration was trained. Order follows from the plan alone.
 */
export function batchOf(store: Store, iteration: Iteration): Map<string, BatchAction[]> {
  const byAgent = new Map<string, BatchAction[]>();
  for (const row of [...ownActions(store, iteration), ...lateOverrides(store, iteration)]) {
    const rows = byAgent.get(row.action.agent);
    if (rows === undefined) byAgent.set(row.action.agent, [row]);
    else rows.push(row);
  }
  return byAgent;
}

/** Every action of the iteration's completed training rollouts, ordered by trajectory and index; tokens are read when asked for. */
export function ownActions(store: Store, iteration: Pick<Iteration, "id" | "runId">): BatchAction[] {
  const known = knownTrajectories(store, iteration.runId, { iterationId: iteration.id, purpose: "train" });
  return [...known.values()]
    .filter((trajectory) => trajectory.outcome.kind === "completed")
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap((trajectory) => actionsOf(store, trajectory.id));
}

/** Overrides within the lag limit that no optimiser step has used yet, of iterations that were trained before they came. */
function lateOverrides(store: Store, iteration: Iteration): BatchAction[] {
  const oldest = iteration.index - iteration.config.policyLagLimit;
  const earlier = allIterations(store, iteration.runId)
    .filter((one) => one.index >= oldest && one.index < iteration.index)
    .sort((a, b) => a.index - b.index);
  return earlier
    .flatMap((one) => [
      ...knownTrajectories(store, iteration.runId, { iterationId: one.id, purpose: "train" }).values(),
    ])
    .filter((trajectory) => trajectory.overrideCount > 0 && trajectory.outcome.kind === "completed")
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap((trajectory) => actionsOf(store, trajectory.id))
    .filter(({ override }) => override !== null && store.stepsUsingScore(override.id).length === 0);
}

function actionsOf(store: Store, trajectoryId: string): BatchAction[] {
  const scores = store.scoresOfTrajectory(trajectoryId);
  return store.actions(trajectoryId, 0, 10_000).map((action) => ({
    action,
    ...effectiveScore(scores.get(action.id) ?? []),
    get tokens() {
      return store.tokens(action.id);
    },
  }));
}

/** All iterations of a run. */
export function allIterations(store: Store, runId: string): Iteration[] {
  const all: Iteration[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: Iteration[]; next: string | null } = store.iterations(runId, { cursor, limit: 500 });
    all.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return all;
}
