// Makes the planned rollouts of a stage: finished ones are kept, one cut off by a kill goes on from its stored actions.
import type { Action, ActionTokens, Outcome, Task, Trajectory } from "../../src/protocol/model.ts";
import { runRollout } from "../rollouts/rollout.ts";
import { runAll } from "../rollouts/runAll.ts";
import type { Policy, Sample, Sampled } from "../rollouts/sample.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Store } from "../store/store.ts";
import type { PlannedRollout } from "./batchPlan.ts";
import { EngineError } from "./engineClient.ts";
import type { Team } from "./team.ts";

/** Which rollouts to make, and how. */
export interface RolloutJob {
  readonly planned: readonly PlannedRollout[];
  readonly purpose: Trajectory["purpose"];
  readonly iterationId: string | null;
  /** Agent → the policy that answers for it and its frozen name. */
  readonly policies: Readonly<Record<string, Policy>>;
  readonly temperature: number;
  readonly maxTokens: number;
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Called for each finished rollout, those of before a kill included. */
  onFinished(trajectory: Trajectory): void;
}

/** What rollouts need of the bridge. */
export interface RolloutRoom {
  readonly store: Store;
  readonly sandbox: Sandbox;
  readonly team: Team;
}

/**
 * Makes every planned rollout that is not finished yet. When the signal is aborted the unfinished ones stay `running` in the
 * store, to be gone on with. Throws `EngineError` when the engine stays away: that is no rollout's own failure.
 */
export async function makeRollouts(room: RolloutRoom, job: RolloutJob): Promise<void> {
  const known = knownTrajectories(room.store, room.team.run.id, job);
  const stop = new AbortController();
  const signal = AbortSignal.any([job.signal, stop.signal]);
  let engineLost: EngineError | null = null;

  const left = job.planned.filter((planned) => {
    const trajectory = known.get(planned.trajectoryId);
    if (trajectory === undefined || trajectory.outcome.kind === "running") return true;
    job.onFinished(trajectory);
    return false;
  });
  await runAll(left, job.concurrency, signal, async (planned) => {
    try {
      const trajectory = await oneRollout(room, { ...job, signal }, planned, known.get(planned.trajectoryId) ?? null);
      if (trajectory !== null) job.onFinished(trajectory);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      engineLost ??= error;
      stop.abort();
    }
  });
  if (engineLost !== null && !job.signal.aborted) throw engineLost;
}

/** Ends every rollout of an iteration that is still running, as cancelled; what it has done so far is kept. */
export function endRunningRollouts(store: Store, runId: string, iterationId: string | null, message: string): number {
  const outcome: Outcome = { kind: "cancelled", reward: null, answer: null, boundary: null, message };
  let ended = 0;
  for (const trajectory of knownTrajectories(store, runId, { iterationId, purpose: null }).values()) {
    if (trajectory.outcome.kind !== "running") continue;
    store.finishTrajectory(trajectory.id, outcome, new Date().toISOString());
    ended++;
  }
  return ended;
}

/** All trajectories of an iteration with that purpose, by id. */
export function knownTrajectories(
  store: Store,
  runId: string,
  { iterationId, purpose }: { iterationId: string | null; purpose: Trajectory["purpose"] | null },
): Map<string, Trajectory> {
  const known = new Map<string, Trajectory>();
  if (iterationId === null) return known;
  let cursor: string | null = null;
  do {
    const filter = { runId, iterationId, ...(purpose === null ? {} : { purpose }) };
    const page: { items: Trajectory[]; next: string | null } = store.trajectories(filter, { cursor, limit: 500 });
    for (const trajectory of page.items) known.set(trajectory.id, trajectory);
    cursor = page.next;
  } while (cursor !== null);
  return known;
}

/** Makes one rollout and stores it as it happens; null when it was stopped half-way. */
async function oneRollout(
  room: RolloutRoom,
  job: RolloutJob,
  planned: PlannedRollout,
  begun: Trajectory | null,
): Promise<Trajectory | null> {
  const { store, team } = room;
  const stored = begun === null ? [] : store.actions(begun.id, 0, 10_000);
  const trajectory = begun ?? newTrajectory(team, job, planned);
  // Evaluation rollouts are stored when they end, in one go: nobody waits at their side, and a disk sync each costs time.
  const isLive = job.purpose !== "evaluation";
  const held: { action: Action; tokens: ActionTokens | null; scores: [] }[] = [];
  if (isLive && begun === null) store.addTrajectory(trajectory);

  const { outcome } = await runRollout({
    workflow: team.workflow,
    task: planned.task,
    ids: { runId: team.run.id, trajectoryId: trajectory.id },
    policies: goingOn(job.policies, stored, store),
    sandbox: room.sandbox,
    temperature: job.temperature,
    maxTokens: job.maxTokens,
    seed: planned.seed,
    signal: job.signal,
    onAction(action, tokens) {
      if (action.index < stored.length) return;
      if (isLive) store.addAction(action, tokens);
      else held.push({ action, tokens, scores: [] });
    },
  });
  if (job.signal.aborted && outcome.kind !== "completed") return null;
  const endedAt = new Date().toISOString();
  if (isLive) return store.finishTrajectory(trajectory.id, outcome, endedAt);
  const whole = { ...trajectory, outcome, endedAt };
  store.addTrajectories([{ trajectory: whole, actions: held }]);
  return whole;
}

/** Policies that answer with the stored actions first, in order, so that a rollout goes on instead of starting over. */
function goingOn(policies: RolloutJob["policies"], stored: readonly Action[], store: Store): RolloutJob["policies"] {
  if (stored.length === 0) return policies;
  return Object.fromEntries(
    Object.entries(policies).map(([agent, policy]) => {
      const waiting = stored.filter((action) => action.agent === agent);
      const sample: Sample = async (request) => {
        const action = waiting.shift();
        return action === undefined ? policy.sample(request) : asSampled(action, store.tokens(action.id));
      };
      return [agent, { ...policy, sample }];
    }),
  );
}

function asSampled(action: Action, tokens: ActionTokens | null): Sampled {
  return {
    text: action.text,
    thinking: action.thinking,
    finishReason: action.finishReason,
    model: action.policyVersion ?? "",
    promptTokenIds: tokens?.promptTokenIds ?? null,
    tokenIds: tokens?.tokenIds ?? null,
    logprobs: tokens?.logprobs ?? null,
    promptTokenCount: action.promptTokenCount,
    outputTokenCount: action.outputTokenCount,
  };
}

function newTrajectory(team: Team, job: RolloutJob, planned: PlannedRollout): Trajectory {
  return {
    id: planned.trajectoryId,
    runId: team.run.id,
    iterationId: job.iterationId,
    purpose: job.purpose,
    task: planned.task,
    sampleIndex: planned.sampleIndex,
    title: titleOf(planned.task),
    agents: team.workflow.agents.map((agent) => agent.name),
    policyVersions: Object.fromEntries(Object.entries(job.policies).map(([agent, { model }]) => [agent, model])),
    outcome: { kind: "running", reward: null, answer: null, boundary: null, message: null },
    actionCount: 0,
    meanScore: null,
    minScore: null,
    missingScoreCount: 0,
    overrideCount: 0,
    startedAt: new Date().toISOString(),
    endedAt: null,
    meta: { seed: planned.seed },
  };
}

function titleOf(task: Task): string {
  const line = task.problem.trim().split("\n")[0] ?? "";
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
