// Success over a set of rollouts.
import type { Evaluation, Trajectory } from "../../src/protocol/model.ts";

/** Success means outcome reward ≥ 0.5; a failed rollout is no success. `rate` is null where no rollout had a reward. */
export function successOf(finished: readonly Trajectory[]): Evaluation {
  const failures = finished.filter((trajectory) => trajectory.outcome.kind === "failed").length;
  const judged = finished.filter((trajectory) => trajectory.outcome.reward !== null);
  const successes = judged.filter((trajectory) => (trajectory.outcome.reward ?? 0) >= 0.5).length;
  const rate = judged.length === 0 ? null : successes / (judged.length + failures);
  return { rollouts: finished.length, successes, failures, rate };
}
