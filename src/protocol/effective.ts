// Which score counts for an action: a person's override, else hindsight, else online.
import type { Score } from "./model.ts";

/** The score in effect, the coach's own beside it, and whether a person replaced it. */
export interface EffectiveScore {
  /** The record whose value counts; null where every value is missing. */
  readonly effective: Score | null;
  /** The coach's (or rule coach's) record in effect without any override. */
  readonly coach: Score | null;
  /** The person's override in effect; null where there is none or it was undone. */
  readonly override: Score | null;
}

/** Resolves all score records of one action, oldest first, to the one that counts (architecture, "The words"). */
export function effectiveScore(scores: readonly Score[]): EffectiveScore {
  const coach = latest(scores, "hindsight") ?? latest(scores, "online");
  const undone = new Set(scores.filter((score) => score.kind === "undo").map((score) => score.basedOn));
  const override = scores.filter((score) => score.kind === "override" && !undone.has(score.id)).at(-1) ?? null;
  return { effective: override ?? coach, coach, override };
}

function latest(scores: readonly Score[], phase: Score["phase"]): Score | null {
  return (
    scores.filter((score) => score.kind === "score" && score.phase === phase && score.value !== null).at(-1) ?? null
  );
}
