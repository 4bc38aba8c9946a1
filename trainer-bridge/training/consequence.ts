// What a score does: the fate of an override, and the advantage it would give before it is made.
import { effectiveScore } from "../../src/protocol/effective.ts";
import type { Iteration, OverrideFate, Score } from "../../src/protocol/model.ts";
import { agentCredit, type CreditSample, meanAdvantage } from "../credit/agentCredit.ts";
import type { Store } from "../store/store.ts";
import { allIterations, type BatchAction, ownActions } from "./batch.ts";
import { storedPlan } from "./updatePlan.ts";

/** Says what became of an override, or what will if nothing else happens. */
export function fateOf(store: Store, score: Score): OverrideFate {
  const fate = (state: OverrideFate["state"], message: string, iteration: Iteration | null = null): OverrideFate => ({
    scoreId: score.id,
    actionId: score.actionId,
    state,
    iterationId: iteration?.id ?? null,
    iterationIndex: iteration?.index ?? null,
    policyVersion: null,
    checkpointSha256: null,
    message,
  });
  const used = store.stepsUsingScore(score.id).at(-1);
  if (used !== undefined) {
    const iteration = store.iteration(used.iterationId);
    const checkpoint = store
      .checkpoints(iteration.runId)
      .find((one) => one.iterationId === iteration.id && one.agent === used.agent);
    const published =
      checkpoint === undefined ? "its policy is being published." : `published ${checkpoint.policyVersion}.`;
    return {
      ...fate("used", `Used in iteration ${iteration.index}, optimiser step ${used.step}; ${published}`, iteration),
      policyVersion: checkpoint?.policyVersion ?? null,
      checkpointSha256: checkpoint?.sha256 ?? null,
    };
  }
  if (score.kind === "undo")
    return fate("superseded", "This takes back an override; the score before it counts again.");
  if (effectiveScore(store.scores(score.actionId)).override?.id !== score.id) {
    return fate("superseded", "A later override took its place, or it was taken back.");
  }
  const trajectory = store.trajectory(score.trajectoryId);
  if (trajectory.purpose !== "train" || trajectory.iterationId === null) {
    return fate(
      "evaluationOnly",
      "This trajectory is not part of a training batch; the override is kept for reading and evaluation.",
    );
  }
  const iteration = store.iteration(trajectory.iterationId);
  const action = store.action(score.actionId);
  if (action.isTruncated) {
    return fate(
      "evaluationOnly",
      "The action was cut off by the token limit, and such actions are not trained on.",
      iteration,
    );
  }
  if (trajectory.outcome.kind === "failed" || trajectory.outcome.kind === "cancelled") {
    return fate("evaluationOnly", "The rollout was not completed, and only completed ones are trained on.", iteration);
  }
  const willTrain = !["done", "cancelled"].includes(iteration.state) && !isOvertaken(store, iteration);
  if (willTrain && storedPlan(store, iteration.id, action.agent) === null) {
    return fate("queued", `Enters the training of iteration ${iteration.index}.`, iteration);
  }
  return lateFate(store, iteration, action.agent, fate);
}

/** The fate of an override that came after its own iteration took its batch. */
function lateFate(
  store: Store,
  iteration: Iteration,
  agent: string,
  fate: (state: OverrideFate["state"], message: string, iteration?: Iteration | null) => OverrideFate,
): OverrideFate {
  const later = allIterations(store, iteration.runId).filter((one) => one.index > iteration.index);
  const limit = iteration.config.policyLagLimit;
  const next = later.find((one) => one.state !== "cancelled" && storedPlan(store, one.id, agent) === null);
  const index = next?.index ?? Math.max(iteration.index, ...later.map((one) => one.index)) + 1;
  if (index - iteration.index <= limit) {
    const message = `Came after iteration ${iteration.index} took its batch; it enters iteration ${index} as an extra sample, with the log-probs of the policy that wrote it.`;
    return fate("queued", message, next ?? null);
  }
  const message = `Too late for iteration ${iteration.index}: its policy would be ${index - iteration.index} iterations old, and the limit is ${limit}. The override is kept.`;
  return fate("tooLate", message, iteration);
}

/** An iteration that failed and was left behind by a later one is not gone on with. */
function isOvertaken(store: Store, iteration: Iteration): boolean {
  return allIterations(store, iteration.runId).some((one) => one.index > iteration.index);
}

/** What an override of `value` would do to the action's mean advantage in the batch of its agent. The KL part is left out. */
export interface Preview {
  advantageBefore: number | null;
  advantageAfter: number | null;
  batchSize: number;
  message: string;
}

/** Credit with and without the override, on rewards alone: nothing is asked of the engine and nothing is stored. */
export function previewOf(store: Store, actionId: string, value: number): Preview {
  const action = store.action(actionId);
  const trajectory = store.trajectory(action.trajectoryId);
  const none = (message: string): Preview => ({ advantageBefore: null, advantageAfter: null, batchSize: 0, message });
  if (trajectory.purpose !== "train" || trajectory.iterationId === null) {
    return none("This trajectory is not part of a training batch, so no advantage follows from it.");
  }
  if (trajectory.outcome.kind !== "completed") return none("Only completed rollouts are trained on.");
  if (action.isTruncated)
    return none("The action was cut off by the token limit, and such actions are not trained on.");
  const iteration = store.iteration(trajectory.iterationId);
  const rows = ownActions(store, iteration).filter((row) => row.action.agent === action.agent);
  const advantageWith = (replaced: number | null): number | null => {
    const credit = agentCredit(
      rows.map((row) => rewardOnly(row, row.action.id === actionId ? replaced : null)),
      iteration.config,
    );
    const sample = credit.samples.find((one) => one.actionId === actionId);
    return sample === undefined || sample.masked !== null ? null : meanAdvantage(sample);
  };
  return {
    advantageBefore: advantageWith(null),
    advantageAfter: advantageWith(value),
    batchSize: rows.length,
    message: `In the batch of ${rows.length} actions of ${action.role} in iteration ${iteration.index}; the KL part is left out.`,
  };
}

function rewardOnly(row: BatchAction, replaced: number | null): CreditSample {
  const value = replaced ?? row.effective?.value ?? null;
  const zeros = new Array<number>(row.action.outputTokenCount ?? 0).fill(0);
  const reward = value === null ? null : value / 10;
  return { actionId: row.action.id, reward, logpOld: zeros, logpRef: zeros, isTruncated: row.action.isTruncated };
}
