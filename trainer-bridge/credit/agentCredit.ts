// From rewards to per-token advantages for one agent's batch: REINFORCE++ without a critic, pure arithmetic.

/** One action as credit sees it. `reward` is effective score / 10; null where the score is missing. Log-probs have length T. */
export interface CreditSample {
  readonly actionId: string;
  readonly reward: number | null;
  /** Log-probs of the output tokens under the policy version that wrote them. */
  readonly logpOld: readonly number[];
  /** Log-probs of the same tokens under the reference policy. */
  readonly logpRef: readonly number[];
  readonly isTruncated: boolean;
}

/** The two constants of credit; both as in `IterationConfig`. */
export interface CreditConstants {
  /** β of the per-token KL penalty in the reward. */
  readonly klCoefficient: number;
  /** Floor on the standard deviation of returns, in reward units. */
  readonly stdFloor: number;
}

/** Why an action is not trained on: cut off by the token limit, no score, or no tokens. */
export type MaskReason = "truncated" | "unscored" | "empty";

/** One action after credit. Masked actions have zero advantages, and returns of zero length. */
export interface CreditedSample {
  readonly actionId: string;
  readonly masked: MaskReason | null;
  readonly tokenCount: number;
  /** G_t, in reward units. Length T. */
  readonly returns: readonly number[];
  /** A_t = (G_t − mean) / max(std, floor), before the division by N. Length T. */
  readonly advantages: readonly number[];
}

/** What the batch of one agent measured. Moments are over tokens unless said; null where nothing was trained on. */
export interface CreditStats {
  readonly trainedCount: number;
  readonly tokenCount: number;
  /** Mean and population std of rewards, each action once. */
  readonly meanReward: number | null;
  readonly stdReward: number | null;
  readonly meanReturn: number | null;
  readonly stdReturn: number | null;
  /** Std of the reward part and of the KL part of the returns, apart, so that one can be seen to drown the other. */
  readonly stdRewardPart: number | null;
  readonly stdKlPart: number | null;
  /** Mean per-token KL to the reference (k1), in nats. */
  readonly kl: number | null;
  /** The std was under its floor, so the floor divided. */
  readonly isFloored: boolean;
  /** Why the agent takes no step; null where it does. */
  readonly skipped: string | null;
}

/** The credit of one agent's batch; `samples` in the order they came. */
export interface AgentCredit {
  readonly samples: readonly CreditedSample[];
  readonly stats: CreditStats;
}

/**
 * Credit of one agent's whole batch (REINFORCE++, arXiv 2501.03262, as MAPPA uses it):
 *
 *   kl_t = log π_old(a_t) − log π_ref(a_t)                  k1
 *   r_t  = −β kl_t + [t = T] R
 *   G_t  = Σ_{s ≥ t} r_s                                    γ = 1, own tokens only
 *   A_t  = (G_t − mean) / max(std, floor)                   moments over all unmasked tokens of this agent
 *
 * Truncated and unscored actions get no advantage and do not enter the moments.
 */
export function agentCredit(samples: readonly CreditSample[], constants: CreditConstants): AgentCredit {
  const prepared = samples.map((sample) => ({ sample, masked: maskReason(sample), ...returnParts(sample, constants) }));
  const kept = prepared.filter((row) => row.masked === null);
  const rewardParts = kept.flatMap((row) => row.rewardPart);
  const klParts = kept.flatMap((row) => row.klPart);
  const returns = rewardParts.map((reward, t) => reward + (klParts[t] ?? 0));
  const moments = momentsOf(returns);
  const scale = Math.max(moments?.std ?? 0, constants.stdFloor);
  const rewards = momentsOf(kept.flatMap((row) => (row.sample.reward === null ? [] : [row.sample.reward])));

  return {
    samples: prepared.map(({ sample, masked, rewardPart, klPart }) => {
      const tokenCount = sample.logpOld.length;
      if (masked !== null || moments === null) {
        return {
          actionId: sample.actionId,
          masked,
          tokenCount,
          returns: [],
          advantages: new Array(tokenCount).fill(0),
        };
      }
      const ownReturns = rewardPart.map((reward, t) => reward + (klPart[t] ?? 0));
      const advantages = ownReturns.map((value) => (value - moments.mean) / scale);
      return { actionId: sample.actionId, masked, tokenCount, returns: ownReturns, advantages };
    }),
    stats: {
      trainedCount: kept.length,
      tokenCount: returns.length,
      meanReward: rewards?.mean ?? null,
      stdReward: rewards?.std ?? null,
      meanReturn: moments?.mean ?? null,
      stdReturn: moments?.std ?? null,
      stdRewardPart: momentsOf(rewardParts)?.std ?? null,
      stdKlPart: momentsOf(klParts)?.std ?? null,
      kl: momentsOf(kept.flatMap((row) => row.kl))?.mean ?? null,
      isFloored: moments !== null && moments.std < constants.stdFloor,
      skipped: kept.length > 0 ? null : skipReason(prepared.map((row) => row.masked)),
    },
  };
}

/** Advantages of one optimiser step as the engine receives them: A_t / N, N = unmasked tokens of the minibatch. Same order. */
export function stepAdvantages(minibatch: readonly CreditedSample[]): number[][] {
  const tokens = minibatch.reduce((sum, sample) => sum + (sample.masked === null ? sample.tokenCount : 0), 0);
  return minibatch.map((sample) => sample.advantages.map((advantage) => (tokens === 0 ? 0 : advantage / tokens)));
}

/** Mean over an action's tokens of its normalised advantage, as kept with the step's record. */
export function meanAdvantage(sample: CreditedSample): number {
  return momentsOf(sample.advantages)?.mean ?? 0;
}

function maskReason(sample: CreditSample): MaskReason | null {
  if (sample.logpOld.length === 0) return "empty";
  if (sample.isTruncated) return "truncated";
  return sample.reward === null ? "unscored" : null;
}

/** G_t split into the reward part (R at every t) and the KL part (−β times the KL from t to the end). */
function returnParts(sample: CreditSample, { klCoefficient }: CreditConstants) {
  if (sample.logpRef.length !== sample.logpOld.length) {
    const lengths = `${sample.logpOld.length} and ${sample.logpRef.length}`;
    throw new Error(`Action ${sample.actionId} has log-probs of different lengths (${lengths}).`);
  }
  const kl = sample.logpOld.map((logp, t) => logp - (sample.logpRef[t] ?? 0));
  const klPart = new Array<number>(kl.length).fill(0);
  let toTheEnd = 0;
  for (let t = kl.length - 1; t >= 0; t--) {
    toTheEnd += kl[t] ?? 0;
    klPart[t] = -klCoefficient * toTheEnd;
  }
  return { kl, klPart, rewardPart: kl.map(() => sample.reward ?? 0) };
}

/** Mean and population standard deviation, in two passes; null of nothing. */
function momentsOf(values: readonly number[]): { mean: number; std: number } | null {
  if (values.length === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance) };
}

function skipReason(masks: readonly (MaskReason | null)[]): string {
  if (masks.length === 0) return "It took no action in this batch.";
  const count = (reason: MaskReason) => masks.filter((mask) => mask === reason).length;
  const parts = [
    [count("truncated"), "truncated"],
    [count("unscored"), "without a score"],
    [count("empty"), "without token ids"],
  ] as const;
  const told = parts.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}`);
  return `None of its ${masks.length} actions can be trained on: ${told.join(", ")}.`;
}
