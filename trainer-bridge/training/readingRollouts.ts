// Rollouts without training, so that there is something to read: kept, coached where asked, never part of a batch.
import { randomUUID } from "node:crypto";
import type { IterationConfig, Trajectory } from "../../src/protocol/model.ts";
import type { Coach } from "../coach/coach.ts";
import type { Policy } from "../rollouts/sample.ts";
import type { Store } from "../store/store.ts";
import { type PlannedRollout, seedOf, taskIndex } from "./batchPlan.ts";
import { openCoaching } from "./coaching.ts";
import { makeRollouts, type RolloutRoom } from "./rolloutStage.ts";

/** What is to be rolled out. */
export interface RolloutOptions {
  readonly taskCount: number;
  readonly samplesPerTask: number;
  readonly concurrency: number;
  /** Whether the coach scores the actions. */
  readonly coach: boolean;
}

/** How it is cancelled and followed; progress counts trajectories. */
export interface RolloutCall {
  readonly signal: AbortSignal;
  progress(value: { done: number; total: number; message: string }): void;
}

/** How the rollouts ended. */
export interface RolloutCount {
  completed: number;
  failed: number;
  cancelled: number;
}

/** Makes the rollouts and waits for them; a cancellation keeps the finished ones. */
export async function rollOutToRead(
  room: RolloutRoom & { readonly coach: Coach; readonly policies: Readonly<Record<string, Policy>> },
  config: IterationConfig,
  options: RolloutOptions,
  call: RolloutCall,
): Promise<RolloutCount> {
  const { store, team } = room;
  const key = `readTasks:${team.run.id}`;
  const first = Number(store.note(key) ?? 0);
  store.putNote(key, first + options.taskCount);
  const planned = plan(room, first, options, config.seed);
  const coaching = openCoaching({ store, coach: room.coach, workflow: team.workflow }, call.signal, false);
  const count: RolloutCount = { completed: 0, failed: 0, cancelled: 0 };
  let done = 0;
  try {
    await makeRollouts(room, {
      planned,
      purpose: "rollout",
      iterationId: null,
      policies: room.policies,
      temperature: config.temperature,
      maxTokens: config.maxTokens,
      concurrency: options.concurrency,
      signal: call.signal,
      onFinished(trajectory) {
        if (trajectory.outcome.kind === "completed") count.completed++;
        else count.failed++;
        if (options.coach) coaching.add(trajectory);
        call.progress({ done: ++done, total: planned.length, message: trajectory.title });
      },
    });
  } finally {
    for (const { trajectoryId } of planned) {
      if (store.hasTrajectory(trajectoryId))
        endIfRunning(store, store.trajectory(trajectoryId), "The rollouts were stopped.");
    }
    await coaching.finished();
  }
  count.cancelled = planned.length - done;
  return count;
}

/** Ends the rollouts for reading that a killed bridge left running: nobody waits for them any more. */
export function endLeftRollouts(store: Store): void {
  for (;;) {
    const left = store.trajectories({ purpose: "rollout", outcome: "running" }, { cursor: null, limit: 500 }).items;
    for (const trajectory of left) endIfRunning(store, trajectory, "The bridge stopped during this rollout.");
    if (left.length === 0) return;
  }
}

function endIfRunning(store: Store, trajectory: Trajectory, message: string): void {
  if (trajectory.outcome.kind !== "running") return;
  const outcome = { kind: "cancelled", reward: null, answer: null, boundary: null, message } as const;
  store.finishTrajectory(trajectory.id, outcome, new Date().toISOString());
}

function plan({ team }: RolloutRoom, first: number, options: RolloutOptions, seed: number): PlannedRollout[] {
  const session = `${team.run.id}-r${randomUUID().slice(0, 8)}`;
  return Array.from({ length: options.taskCount * options.samplesPerTask }, (_, n) => {
    const i = Math.floor(n / options.samplesPerTask);
    const sampleIndex = n % options.samplesPerTask;
    const trajectoryId = `${session}-t${i}-s${sampleIndex}`;
    const task = team.tasks.task(taskIndex(first + i, team.tasks.size, seed));
    return { trajectoryId, task, sampleIndex, seed: seedOf(seed, trajectoryId) };
  });
}
