// The team of a run: its workflow, its task sets, and for each agent the policy that answers for it.
import { createHash } from "node:crypto";
import * as z from "zod";
import type { Run } from "../../src/protocol/model.ts";
import { openAiPolicy } from "../rollouts/openAiPolicy.ts";
import type { Policy, Sample } from "../rollouts/sample.ts";
import type { Store } from "../store/store.ts";
import { openTaskSet, type TaskSet } from "../workflow/tasks/taskSet.ts";
import { parseWorkflow, type Workflow } from "../workflow/workflow.ts";
import { seedOf } from "./batchPlan.ts";
import type { Commands, PolicyKind } from "./commands.ts";
import { type EngineClient, EngineError } from "./engineClient.ts";
import { TrainingError } from "./trainingError.ts";

/** What a run keeps in `Run.config`, so that it means the same after the bridge's own configuration has changed. */
export const RunConfig = z.object({
  workflow: z.json(),
  /** The task set as `openTaskSet` takes it. */
  taskSet: z.string(),
  seed: z.number().int().nonnegative(),
  policy: z.object({
    kind: z.enum(["full", "lora"]),
    rank: z.number().int().positive().optional(),
    alpha: z.number().positive().optional(),
  }),
});
export type RunConfig = z.infer<typeof RunConfig>;

/** A run with everything its rollouts need. */
export interface Team {
  readonly run: Run;
  readonly workflow: Workflow;
  readonly tasks: TaskSet;
  readonly heldOut: TaskSet;
  /** Agents that the engine trains, and the engine's name of each. */
  readonly trained: ReadonlyMap<string, string>;
  /** The frozen policy of each agent now: the last published version. */
  versions(): Record<string, string>;
}

/** Reads a run's team; `outside` are the agents that another model answers for. */
export function teamOf(
  run: Run,
  store: Store,
  outside: Readonly<Record<string, Policy>>,
  readText: (file: string) => string,
): Team {
  const parsed = RunConfig.safeParse(run.config);
  if (run.kind !== "training" || !parsed.success) {
    throw new TrainingError(
      "refused",
      `${run.name} cannot be trained: it was not made as a training run. Make a new run.`,
    );
  }
  const config = parsed.data;
  const team = parseWorkflow(config.workflow);
  const agents = team.agents.map((agent) => agent.name);
  const trained = new Map(
    agents.filter((agent) => !(agent in outside)).map((agent) => [agent, engineName(run.id, agent)] as const),
  );
  const open = (heldOut: boolean) => openTaskSet(config.taskSet, { seed: config.seed, heldOut, readText });
  return {
    run,
    workflow: team,
    tasks: open(false),
    heldOut: open(true),
    trained,
    versions() {
      const newest = new Map<string, number>();
      for (const { agent, version } of store.checkpoints(run.id)) {
        newest.set(agent, Math.max(version, newest.get(agent) ?? 0));
      }
      return Object.fromEntries(
        agents.map((agent) => {
          const name = trained.get(agent);
          return [agent, name === undefined ? (outside[agent]?.model ?? "") : `${name}@v${newest.get(agent) ?? 0}`];
        }),
      );
    },
  };
}

/** The engine's name of a run's agent: engine names are shared by all runs of one engine, so the run is in it. */
export function engineName(runId: string, agent: string): string {
  return `${agent.slice(0, 50)}_${createHash("sha256").update(runId).digest("hex").slice(0, 6)}`;
}

/** The version an agent started from; the KL penalty is measured against it. */
export function referenceVersion(engineAgent: string): string {
  return `${engineAgent}@v0`;
}

/** How the run's policies are made at the engine. Each agent starts from the same base. */
export function policyKind(config: RunConfig, agent: string): PolicyKind {
  const { kind, rank, alpha } = config.policy;
  const seed = seedOf(config.seed, `policy/${agent}`);
  return { kind, seed, ...(rank === undefined ? {} : { rank }), ...(alpha === undefined ? {} : { alpha }) };
}

const SAMPLE_ATTEMPTS = 5;

/**
 * Samples a policy of the engine. An engine that died is waited for and the request made again, so that its death fails no
 * rollout; when it stays away `EngineError` is thrown.
 */
export function engineSample(engine: EngineClient, commands: Commands, engineAgents: readonly string[]): Sample {
  let door: { url: string; sample: Sample } | null = null;
  const sampleAt = (url: string) => {
    if (door?.url !== url) door = { url, sample: openAiPolicy(`${url}/v1`, engine.token, { retry: { tries: 1 } }) };
    return door.sample;
  };
  return async (request) => {
    for (let attempt = 1; ; attempt++) {
      const url = await addressOf(engine, request.signal);
      try {
        return await sampleAt(url)(request);
      } catch (error) {
        // A living engine that refuses will refuse again: that is the rollout's own failure.
        if (request.signal.aborted || attempt === SAMPLE_ATTEMPTS || (await isAlive(engine, url))) throw error;
      }
      await engine.ready(request.signal);
      await commands.asking(engineAgents, async () => {
        for (const agent of engineAgents) await commands.synchronise(agent);
      });
    }
  };
}

/** Where the engine answers; waits while it is being started again. */
async function addressOf(engine: EngineClient, signal: AbortSignal): Promise<string> {
  try {
    return engine.url();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    await engine.ready(signal);
    return engine.url();
  }
}

/** Whether the engine at that address still answers. */
async function isAlive(engine: EngineClient, url: string): Promise<boolean> {
  try {
    return (await engine.health()).status === "ready" && engine.url() === url;
  } catch (error) {
    if (error instanceof EngineError) return false;
    throw error;
  }
}
