// Says whether a figure reaches its goal.
import type { Figure } from "./figure.ts";

/** True or false for a goal such as "< 20" or ">= 5000"; undefined for a goal in words. */
export function isMet({ value, goal }: Pick<Figure, "value" | "goal">): boolean | undefined {
  const parts = /^\s*(<=|>=|<|>|≤|≥)\s*([\d.,_]+)/.exec(goal);
  const [, direction, bound] = parts ?? [];
  if (direction === undefined || bound === undefined) return undefined;
  const limit = Number(bound.replaceAll(/[,_]/g, ""));
  if (Number.isNaN(limit)) return undefined;
  if (direction === "<") return value < limit;
  if (direction === ">") return value > limit;
  return direction === "<=" || direction === "≤" ? value <= limit : value >= limit;
}
