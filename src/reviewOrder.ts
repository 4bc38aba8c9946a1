// Which trajectories are worth a person's time first: where a look is likely to change what is trained.
import type { Trajectory } from "./protocol/model.ts";

/** Why a trajectory is in the queue, most telling first. */
export type ReviewReason = "failed" | "missingScores" | "coachAtOdds" | "lowScore";

/** The expected value of reviewing a trajectory; larger is sooner. */
export interface ReviewValue {
  readonly value: number;
  readonly reasons: readonly ReviewReason[];
}

/** A score of at most this many points of 10 is low. */
export const LOW_SCORE = 4;

/**
 * Adds up what a review may change: unscored actions are left out of training until a person scores them; a mean score far from
 * the outcome says that the coach may be wrong; low scores and failures carry the large advantages. One that was overridden
 * before, or is still running, is worth less.
 */
export function reviewValue(trajectory: Trajectory, isInNewestIteration: boolean): ReviewValue {
  const { outcome, minScore, meanScore, actionCount, overrideCount } = trajectory;
  const reasons: ReviewReason[] = [];
  let value = 0;
  if (outcome.kind === "failed") {
    reasons.push("failed");
    value += 1;
  }
  const unscored = unscoredCount(trajectory);
  if (unscored > 0) {
    reasons.push("missingScores");
    value += 1 + unscored / Math.max(1, actionCount);
  }
  if (outcome.reward !== null && meanScore !== null) {
    const odds = Math.abs(meanScore / 10 - outcome.reward);
    if (odds >= 0.5) reasons.push("coachAtOdds");
    value += 1.5 * odds;
  }
  if (minScore !== null) {
    if (minScore <= LOW_SCORE) reasons.push("lowScore");
    value += (10 - minScore) / 10;
  }
  if (isInNewestIteration) value += 0.5;
  if (overrideCount > 0) value -= 2;
  if (outcome.kind === "running") value -= 3;
  return { value, reasons };
}

/** Actions without a value: those whose score is missing, and all of them where nobody has scored any. */
export function unscoredCount({ meanScore, missingScoreCount, actionCount }: Trajectory): number {
  return meanScore === null ? actionCount : missingScoreCount;
}

/** The queue: trajectories with a reason to be read, best first; ties stay newest first. */
export function reviewOrder(
  trajectories: readonly Trajectory[],
  newestIterationIds: ReadonlySet<string>,
  isSeen: (trajectoryId: string) => boolean,
) {
  return trajectories
    .filter((trajectory) => trajectory.purpose !== "evaluation" && trajectory.outcome.kind !== "running")
    .map((trajectory) => ({
      trajectory,
      isSeen: isSeen(trajectory.id),
      ...reviewValue(trajectory, trajectory.iterationId !== null && newestIterationIds.has(trajectory.iterationId)),
    }))
    .filter(({ reasons }) => reasons.length > 0)
    .sort((a, b) => Number(a.isSeen) - Number(b.isSeen) || b.value - a.value);
}
