// What one agent's part of an iteration measured, from its batch and its credit.
import type { AgentMetrics } from "../../src/protocol/model.ts";
import { type AgentCredit, agentCredit } from "../credit/agentCredit.ts";
import type { BatchAction } from "./batch.ts";
import type { TokenSample } from "./logprobs.ts";
import { mean } from "./mean.ts";

/** Metrics of an agent that is not trained here, because another model answers for it. */
export function untrainedMetrics(agent: string, rows: readonly BatchAction[]): AgentMetrics {
  const rewards = rows.flatMap((row) => (row.effective?.value == null ? [] : [row.effective.value / 10]));
  const nothing = agentCredit([], { klCoefficient: 0, stdFloor: 1 });
  const skipped = "Another model answers for it; only the engine's policies are trained.";
  return { ...batchMetrics(agent, rows, [], null, nothing), meanReward: mean(rewards), skipped };
}

/** Metrics of an agent's batch before its steps are taken; loss, gradient and clipping come with them. */
export function batchMetrics(
  agent: string,
  rows: readonly BatchAction[],
  samples: readonly TokenSample[],
  logprobGap: number | null,
  { stats }: AgentCredit,
): AgentMetrics {
  const sampled = samples.flatMap((sample) => sample.tokens.logprobs);
  const bias = rows.flatMap(({ override, coach }) =>
    override?.value == null || coach?.value == null ? [] : [override.value - coach.value],
  );
  const lengths = rows.flatMap(({ action }) => action.outputTokenCount ?? []);
  return {
    agent,
    actionCount: rows.length,
    trainedCount: stats.trainedCount,
    missingScoreCount: rows.filter((row) => (row.effective?.value ?? null) === null).length,
    truncatedCount: rows.filter((row) => row.action.isTruncated).length,
    overrideCount: rows.filter((row) => row.override !== null).length,
    meanReward: stats.meanReward,
    stdReward: stats.stdReward,
    meanReturn: stats.meanReturn,
    stdReturn: stats.stdReturn,
    kl: stats.kl,
    clipFraction: null,
    logprobGap,
    gradNorm: null,
    loss: null,
    meanLength: mean(lengths),
    entropy: mean(sampled.map((logp) => -logp)),
    coachBias: mean(bias),
    skipped:
      samples.length === 0 && rows.length > 0
        ? "Its policy gives no token ids, so it cannot be trained."
        : stats.skipped,
  };
}
