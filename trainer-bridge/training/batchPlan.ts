// Which rollouts an iteration makes: ids, tasks and seeds that follow from the run and the iteration alone, so a resume repeats them.
import { createHash } from "node:crypto";
import type { Iteration, Task } from "../../src/protocol/model.ts";

/** What this file needs of a task set; `size` null where it has no end. */
export interface TaskSource {
  readonly size: number | null;
  task(index: number): Task;
}

/** One rollout to be made. */
export interface PlannedRollout {
  readonly trajectoryId: string;
  readonly task: Task;
  readonly sampleIndex: number;
  /** 32 bits; every random choice of the rollout follows from it. */
  readonly seed: number;
}

/** The training batch: taskCount tasks, each samplesPerTask times. `firstTask` is how many tasks the run's earlier iterations took. */
export function batchPlan(
  iteration: Pick<Iteration, "id" | "index" | "config">,
  firstTask: number,
  tasks: TaskSource,
): PlannedRollout[] {
  const { taskCount, samplesPerTask, seed } = iteration.config;
  const plan: PlannedRollout[] = [];
  for (let i = 0; i < taskCount; i++) {
    const task = tasks.task(taskIndex(firstTask + i, tasks.size, seed));
    for (let sampleIndex = 0; sampleIndex < samplesPerTask; sampleIndex++) {
      const trajectoryId = `${iteration.id}-t${i}-s${sampleIndex}`;
      // Not from the id, which differs from run to run: the same seed gives the same rollouts in every run.
      const rolloutSeed = seedOf(seed, `iteration-${iteration.index}/task-${i}/sample-${sampleIndex}`);
      plan.push({ trajectoryId, task, sampleIndex, seed: rolloutSeed });
    }
  }
  return plan;
}

/** Held-out tasks 0…count−1, once each; the same tasks and seeds after every iteration, so that only the policies differ. */
export function evaluationPlan(
  iteration: Pick<Iteration, "id" | "index" | "config">,
  when: "before" | "after",
  heldOut: TaskSource,
): PlannedRollout[] {
  const count = Math.min(iteration.config.evaluationTaskCount, heldOut.size ?? Number.POSITIVE_INFINITY);
  return Array.from({ length: count }, (_, i) => ({
    trajectoryId: `${iteration.id}-${when}-e${i}`,
    task: heldOut.task(i),
    sampleIndex: 0,
    seed: seedOf(iteration.config.seed, `evaluation-${i}`),
  }));
}

/** The n-th task a run takes: in order where the set has no end, else each pass in a new seeded order. */
export function taskIndex(n: number, size: number | null, seed: number): number {
  if (size === null) return n;
  if (size < 1) throw new Error("The task set is empty.");
  const order = shuffled(
    Array.from({ length: size }, (_, i) => i),
    seedOf(seed, `pass-${Math.floor(n / size)}`),
  );
  return order[n % size] ?? 0;
}

/** 31 bits that follow from a seed and a name. */
export function seedOf(seed: number, name: string): number {
  return createHash("sha256").update(`${seed}/${name}`).digest().readUInt32BE(0) >>> 1;
}

/** The items in an order that follows from the seed (sorted by a hash of seed and place). */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const order = items.map((item, i) => ({ item, key: splitMix32(seed + Math.imul(i, 0x9e3779b9)), i }));
  return order.sort((a, b) => a.key - b.key || a.i - b.i).map((row) => row.item);
}

function splitMix32(state: number): number {
  let z = (state + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}
