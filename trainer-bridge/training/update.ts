// The update of one agent: log-probs → credit → minibatches → forward_backward and optim_step each → publish → save.

import type { Datum } from "../../src/protocol/engine.ts";
import type { AgentMetrics, Iteration, IterationConfig, OptimizerStep, StepSample } from "../../src/protocol/model.ts";
import {
  type AgentCredit,
  agentCredit,
  type CreditSample,
  meanAdvantage,
  stepAdvantages,
} from "../credit/agentCredit.ts";
import type { Store } from "../store/store.ts";
import type { BatchAction } from "./batch.ts";
import { seedOf, shuffled } from "./batchPlan.ts";
import type { Commands } from "./commands.ts";
import type { EngineClient } from "./engineClient.ts";
import { referenceVersion } from "./team.ts";

/** What an update needs of the bridge. */
export interface UpdateRoom {
  readonly store: Store;
  readonly engine: EngineClient;
  readonly commands: Commands;
}

/**
 * Everything an update will do, stored whole before its first command is sent: after a kill it is carried out from here, so scores
 * that arrive in between do not mix into it and no step is taken twice.
 */
export interface UpdatePlan {
  readonly iterationId: string;
  readonly agent: string;
  readonly engineAgent: string;
  /** Engine command number of the first command; the others follow without a gap. */
  readonly firstSeq: number;
  readonly learningRate: number;
  readonly steps: readonly {
    readonly samples: readonly StepSample[];
    readonly forwardBlob: string;
    readonly optimBlob: string;
  }[];
  readonly publishBlob: string;
  readonly saveBlob: string;
  readonly metrics: AgentMetrics;
}

interface TokenSample extends BatchAction {
  readonly tokens: NonNullable<BatchAction["tokens"]>;
}

/** One name for all saves: the engine keeps the newest of a name, so disk use stays bounded; published versions are kept apart. */
const CHECKPOINT_NAME = "latest";

/** Actions whose sampler log-probs are compared with the trainer's, at least. */
const SPOT_CHECKED = 6;
/** Sampler and trainer agree when no compared token differs by more, in nats. */
const AGREEMENT = 1e-3;

/** Largest number of actions whose log-probs are asked for in one request. */
const FORWARD_ROWS = 64;

/** Plans the update of one agent from its batch, and stores the plan. An agent without a trainable action gets a plan without steps. */
export async function planUpdate(
  room: UpdateRoom,
  iteration: Iteration,
  agent: string,
  engineAgent: string,
  rows: readonly BatchAction[],
): Promise<UpdatePlan> {
  const { config } = iteration;
  const samples = rows.flatMap((row) => {
    const { tokens } = row;
    const { action, effective, coach, override } = row;
    return tokens === null || tokens.tokenIds.length === 0 ? [] : [{ action, effective, coach, override, tokens }];
  });
  const { logpOld, gap } = await oldLogprobs(room, samples, engineAgent);
  const logpRef = await logprobsOf(room, samples, engineAgent, () => referenceVersion(engineAgent), logpOld);
  const credit = agentCredit(
    samples.map((sample, i): CreditSample => creditSample(sample, logpOld[i] ?? [], logpRef[i] ?? [])),
    config,
  );
  const trained = samples.flatMap((sample, i) => {
    const credited = credit.samples[i];
    return credited === undefined || credited.masked !== null ? [] : [{ sample, credited, logpOld: logpOld[i] ?? [] }];
  });
  const order = shuffled(trained, seedOf(config.seed, `iteration-${iteration.index}/${agent}/minibatches`));
  const firstSeq = room.store.lastCommandSeq(engineAgent) + 1;
  let seq = firstSeq;
  const steps: UpdatePlan["steps"][number][] = [];
  for (let start = 0; start < order.length; start += config.minibatchSize) {
    const minibatch = order.slice(start, start + config.minibatchSize);
    const advantages = stepAdvantages(minibatch.map((row) => row.credited));
    const data = minibatch.map(({ sample, logpOld: logprobs }, i): Datum => {
      const { promptTokenIds, tokenIds, temperature } = sample.tokens;
      return { promptTokenIds, tokenIds, logprobs: [...logprobs], advantages: advantages[i] ?? [], temperature };
    });
    // The engine takes bounds on the ratio itself, as Tinker does.
    const clip = { clipLow: 1 - config.clipLow, clipHigh: 1 + config.clipHigh };
    steps.push({
      samples: minibatch.map(({ sample, credited }) =>
        stepSample(sample, meanAdvantage(credited), credited.tokenCount),
      ),
      forwardBlob: bodyBlob(room.store, {
        agent: engineAgent,
        seq: seq++,
        data,
        loss: "ppo",
        config: clip,
      }),
      optimBlob: bodyBlob(room.store, { agent: engineAgent, seq: seq++, adam: adamOf(config) }),
    });
  }
  const plan: UpdatePlan = {
    iterationId: iteration.id,
    agent,
    engineAgent,
    firstSeq,
    learningRate: config.learningRate,
    steps,
    publishBlob: bodyBlob(room.store, { agent: engineAgent, seq: seq++ }),
    saveBlob: bodyBlob(room.store, { agent: engineAgent, seq, name: CHECKPOINT_NAME }),
    metrics: metricsOf(agent, rows, samples, gap, credit),
  };
  room.store.putNote(planKey(iteration.id, agent), plan);
  return plan;
}

/** The stored plan of an agent's update; null where it was not planned yet. */
export function storedPlan(store: Store, iterationId: string, agent: string): UpdatePlan | null {
  return (store.note(planKey(iterationId, agent)) as UpdatePlan | undefined) ?? null;
}

function planKey(iterationId: string, agent: string): string {
  return `update:${iterationId}:${agent}`;
}

/** What a carried-out update published, and what its steps measured. */
export interface UpdateResult {
  /** Null where the agent took no step. */
  readonly policyVersion: string | null;
  readonly metrics: AgentMetrics;
}

/** Carries out a plan from wherever it stands. `onStep` is told of each step done; what it throws leaves the rest for later. */
export async function carryOut(
  room: UpdateRoom,
  runId: string,
  plan: UpdatePlan,
  onStep: () => void,
): Promise<UpdateResult> {
  if (plan.steps.length === 0) return { policyVersion: null, metrics: plan.metrics };
  const { store, commands } = room;
  const base = { agent: plan.engineAgent, iterationId: plan.iterationId };
  const stored = new Set(store.steps(plan.iterationId).map((step) => step.id));
  const done: OptimizerStep[] = [];
  let seq = plan.firstSeq;
  for (const [i, { samples, forwardBlob, optimBlob }] of plan.steps.entries()) {
    const pass = await commands.apply({ ...base, seq: seq++, verb: "/train/forward_backward", bodyBlob: forwardBlob });
    const taken = await commands.apply({ ...base, seq, verb: "/train/optim_step", bodyBlob: optimBlob });
    const step: OptimizerStep = {
      id: `${plan.iterationId}-${plan.agent}-step${i + 1}`,
      iterationId: plan.iterationId,
      agent: plan.agent,
      seq: seq++,
      step: taken.step,
      samples: [...samples],
      batchBlob: forwardBlob,
      loss: pass.lossSum,
      gradNorm: taken.gradNorm,
      clipFraction: pass.clipFraction,
      learningRate: plan.learningRate,
      at: new Date().toISOString(),
    };
    if (!stored.has(step.id)) store.addStep(step);
    done.push(step);
    onStep();
  }
  const published = await commands.apply({ ...base, seq: seq++, verb: "/train/publish", bodyBlob: plan.publishBlob });
  await commands.apply({ ...base, seq, verb: "/train/save", bodyBlob: plan.saveBlob });
  const checkpointId = `${plan.iterationId}-${plan.agent}`;
  if (!store.checkpoints(runId).some((checkpoint) => checkpoint.id === checkpointId)) {
    store.addCheckpoint({
      id: checkpointId,
      runId,
      iterationId: plan.iterationId,
      agent: plan.agent,
      version: published.version,
      policyVersion: published.model,
      sha256: published.sha256,
      at: new Date().toISOString(),
    });
  }
  const mean = (of: (step: OptimizerStep) => number) => done.reduce((sum, step) => sum + of(step), 0) / done.length;
  return {
    policyVersion: published.model,
    metrics: {
      ...plan.metrics,
      loss: mean((step) => step.loss),
      gradNorm: mean((step) => step.gradNorm),
      clipFraction: mean((step) => step.clipFraction),
    },
  };
}

/** Whether every command of the plan has its reply. */
export function isCarriedOut(store: Store, plan: UpdatePlan): boolean {
  if (plan.steps.length === 0) return true;
  const lastSeq = plan.firstSeq + 2 * plan.steps.length + 1;
  return store
    .commands(plan.engineAgent, lastSeq - 1)
    .some((command) => command.seq === lastSeq && command.reply !== null);
}

/**
 * Log-probs under the version that wrote each action. They are the sampler's own where a spot check finds that the trainer agrees
 * with it, which saves a pass over the batch; else the trainer's. `gap` is the mean |trainer − sampler| per token that was compared.
 */
async function oldLogprobs(
  room: UpdateRoom,
  samples: readonly TokenSample[],
  engineAgent: string,
): Promise<{ logpOld: number[][]; gap: number | null }> {
  const every = Math.max(1, Math.floor(samples.length / SPOT_CHECKED));
  const spot = samples.filter((_, i) => i % every === 0);
  const versionOf = (sample: TokenSample) => sample.action.policyVersion ?? "";
  const gapsOf = (compared: readonly TokenSample[], trainer: readonly number[][]) =>
    compared.flatMap((sample, i) => sample.tokens.logprobs.map((logp, t) => Math.abs(logp - (trainer[i]?.[t] ?? 0))));
  const spotGaps = gapsOf(spot, await logprobsOf(room, spot, engineAgent, versionOf));
  if (spotGaps.every((gap) => gap < AGREEMENT)) {
    return { logpOld: samples.map((sample) => sample.tokens.logprobs), gap: meanOf(spotGaps) };
  }
  const logpOld = await logprobsOf(room, samples, engineAgent, versionOf);
  return { logpOld, gap: meanOf(gapsOf(samples, logpOld)) };
}

/** Log-probs of every sample's tokens under the version `versionOf` names; `known` are those under each sample's own version. */
async function logprobsOf(
  { engine, commands }: UpdateRoom,
  samples: readonly TokenSample[],
  engineAgent: string,
  versionOf: (sample: TokenSample) => string,
  known?: readonly number[][],
): Promise<number[][]> {
  const logprobs = new Array<number[]>(samples.length).fill([]);
  const places = new Map<string, number[]>();
  for (const [i, sample] of samples.entries()) {
    const model = versionOf(sample);
    const same = known !== undefined && sample.action.policyVersion === model ? known[i] : undefined;
    if (same !== undefined) logprobs[i] = same;
    else places.set(model, [...(places.get(model) ?? []), i]);
  }
  for (const [model, all] of places) {
    for (let start = 0; start < all.length; start += FORWARD_ROWS) {
      const some = all.slice(start, start + FORWARD_ROWS);
      const data = some.flatMap((i) => {
        const tokens = samples[i]?.tokens;
        return tokens === undefined ? [] : [tokens];
      });
      const reply = await commands.asking([engineAgent], () => engine.call("/train/forward", { model, data }));
      for (const [k, i] of some.entries()) logprobs[i] = reply.logprobs[k] ?? [];
    }
  }
  return logprobs;
}

/** Metrics of an agent that is not trained here, because another model answers for it. */
export function untrainedMetrics(agent: string, rows: readonly BatchAction[]): AgentMetrics {
  const rewards = rows.flatMap((row) => (row.effective?.value == null ? [] : [row.effective.value / 10]));
  const nothing = agentCredit([], { klCoefficient: 0, stdFloor: 1 });
  const skipped = "Another model answers for it; only the engine's policies are trained.";
  return { ...metricsOf(agent, rows, [], null, nothing), meanReward: meanOf(rewards), skipped };
}

function creditSample(sample: TokenSample, logpOld: readonly number[], logpRef: readonly number[]): CreditSample {
  const value = sample.effective?.value ?? null;
  return {
    actionId: sample.action.id,
    reward: value === null ? null : value / 10,
    logpOld,
    logpRef,
    isTruncated: sample.action.isTruncated,
  };
}

function stepSample(sample: TokenSample, advantage: number, tokenCount: number): StepSample {
  const { effective, override, action } = sample;
  if (effective === null || effective.value === null)
    throw new Error(`Action ${action.id} has no score but is trained on.`);
  const isOverride = override !== null;
  return {
    actionId: action.id,
    scoreId: effective.id,
    isOverride,
    reward: effective.value / 10,
    advantage,
    tokenCount,
  };
}

function adamOf(config: IterationConfig) {
  return {
    lr: config.learningRate,
    beta1: config.adamBeta1,
    beta2: config.adamBeta2,
    eps: config.adamEps,
    weightDecay: config.weightDecay,
    gradClipNorm: config.gradClipNorm,
  };
}

/** Stores an exact request body and answers its SHA-256. */
function bodyBlob(store: Store, body: object): string {
  return store.putBlob(Buffer.from(JSON.stringify(body), "utf8"), "application/json");
}

function metricsOf(
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
    meanLength: meanOf(lengths),
    entropy: meanOf(sampled.map((logp) => -logp)),
    coachBias: meanOf(bias),
    skipped:
      samples.length === 0 && rows.length > 0
        ? "Its policy gives no token ids, so it cannot be trained."
        : stats.skipped,
  };
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
