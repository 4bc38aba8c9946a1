// The trainer: makes runs, runs one iteration at a time, and answers what a score did or would do.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { BridgeStatus } from "../../src/protocol/bridge.ts";
import { type Iteration, IterationConfig, type OverrideFate, type Run, type Score } from "../../src/protocol/model.ts";
import type { Coach } from "../coach/coach.ts";
import type { Policy } from "../rollouts/sample.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Store } from "../store/store.ts";
import { type Workflow, workflow as workflowNamed } from "../workflow/workflow.ts";
import { allIterations } from "./batch.ts";
import { openCommands } from "./commands.ts";
import { fateOf, type Preview, previewOf } from "./consequence.ts";
import type { EngineClient } from "./engineClient.ts";
import { followEngine } from "./engineStatus.ts";
import {
  endLeftRollouts,
  type RolloutCall,
  type RolloutCount,
  type RolloutOptions,
  rollOutToRead,
} from "./readingRollouts.ts";
import { endRunningRollouts } from "./rolloutStage.ts";
import { openRunner } from "./runner.ts";
import { engineName, engineSample, policyKind, RunConfig, type Team, teamOf } from "./team.ts";
import { messageOf, TrainingError } from "./trainingError.ts";

/** What the trainer joins. */
export interface TrainerOptions {
  readonly store: Store;
  /** Null where there is none: reading and overrides work, rollouts need other policies, training is refused. */
  readonly engine: EngineClient | null;
  readonly sandbox: Sandbox;
  readonly coach: Coach;
  /** Agents that another model answers for; they are sampled and never trained. */
  readonly outside?: Readonly<Record<string, Policy>>;
  /** Task sets by the name a client may use, as `openTaskSet` takes them; a client never names a path. */
  readonly taskSets?: Readonly<Record<string, string>>;
  /** Workflows beside the built-in ones, by name. */
  readonly workflows?: Readonly<Record<string, Workflow>>;
  /** How a new run's policies are made. */
  readonly policy?: RunConfig["policy"];
  /** Constants of an iteration that differ from the wire's defaults. */
  readonly defaults?: Partial<IterationConfig>;
  readonly log: (message: string) => void;
}

/** The trainer's door. Methods throw `TrainingError` or the store's errors. */
export interface Trainer {
  createRun(params: { name: string; workflow: string; taskSet: string; seed: number }): Run;
  /** Starts the next iteration of a run, and `repeat` further ones after it. */
  start(runId: string, config: Partial<IterationConfig>, repeat: number): Promise<Iteration>;
  pause(iterationId: string): Promise<Iteration>;
  resume(iterationId: string): Promise<Iteration>;
  cancel(iterationId: string): Promise<Iteration>;
  /** The person has reviewed: training may start. */
  reviewed(iterationId: string): Promise<Iteration>;
  /** Rollouts for reading: kept, coached where asked, never trained on. */
  rollout(runId: string, options: RolloutOptions, call: RolloutCall): Promise<RolloutCount>;
  fate(score: Score): OverrideFate;
  preview(actionId: string, value: number): Preview;
  status(): Pick<BridgeStatus, "engine" | "sandbox" | "coach" | "activeIteration">;
  readonly activeIteration: Iteration | null;
  /** Goes on with what a killed bridge left: called once, at start. */
  resumeUnfinished(): Promise<void>;
  /** Resolves when no iteration runs; for command lines and tests. */
  idle(): Promise<void>;
  /** Stops at the next safe point; the iteration goes on at the next start. */
  close(): Promise<void>;
}

const TASK_SETS: Readonly<Record<string, string>> = { arithmetic: "arithmetic" };

/** Opens the trainer. Nothing runs until it is asked to. */
export function openTrainer(options: TrainerOptions): Trainer {
  const { store, engine, sandbox, coach, log } = options;
  const outside = options.outside ?? {};
  const taskSets = options.taskSets ?? TASK_SETS;
  const engineStatus = followEngine(store, engine, log);
  const teams = new Map<string, Team>();
  const reading = new Set<AbortController>();

  const commands = engine === null ? null : openCommands(store, engine, kindOf, log);

  function kindOf(agent: string) {
    for (const { run, trained } of teams.values()) {
      const own = [...trained].find(([, engineAgent]) => engineAgent === agent);
      if (own !== undefined) return policyKind(RunConfig.parse(run.config), own[0]);
    }
    throw new Error(`No run has an agent called ${agent} at the engine.`);
  }

  function team(runId: string): Team {
    const known = teams.get(runId) ?? teamOf(store.run(runId), store, outside, (file) => readFileSync(file, "utf8"));
    teams.set(runId, known);
    return known;
  }

  function policies(of: Team, versions: Readonly<Record<string, string>>): Record<string, Policy> {
    const engineAgents = [...of.trained.values()];
    const sample = engine === null || commands === null ? null : engineSample(engine, commands, engineAgents);
    return Object.fromEntries(
      of.workflow.agents.map(({ name }) => {
        const other = outside[name];
        if (other !== undefined) return [name, other];
        if (sample === null) throw noEngine();
        return [name, { sample, model: versions[name] ?? "" }];
      }),
    );
  }

  const runner = openRunner({
    store,
    team,
    log,
    room(of) {
      if (engine === null || commands === null) throw noEngine();
      return { store, engine, commands, team: of, sandbox, coach, log, policies: policies.bind(null, of) };
    },
  });

  return {
    createRun({ name, workflow, taskSet, seed }) {
      const opened = taskSets[taskSet];
      if (opened === undefined) {
        const names = Object.keys(taskSets).join(", ");
        throw new TrainingError("refused", `There is no task set called ${taskSet}; this bridge has ${names}.`);
      }
      const spec = options.workflows?.[workflow] ?? workflowOr(workflow);
      const config = RunConfig.parse({
        workflow: spec,
        taskSet: opened,
        seed,
        policy: options.policy ?? { kind: "full" },
      });
      return store.createRun({
        id: randomUUID(),
        name,
        kind: "training",
        workflow: spec.name,
        agents: spec.agents.map((agent) => agent.name),
        config: JSON.parse(JSON.stringify(config)),
      });
    },

    async start(runId, config, repeat) {
      if (engine === null) throw noEngine();
      const other = runner.active();
      if (other !== null) {
        const message = `Iteration ${other.index} of ${store.run(other.runId).name} is ${other.state}. Finish or cancel it first; one iteration runs at a time.`;
        throw new TrainingError("refused", message);
      }
      const seed = RunConfig.parse(team(runId).run.config).seed;
      const whole = IterationConfig.parse({ seed, ...options.defaults, ...config });
      return runner.begin(runId, whole, repeat);
    },

    async pause(iterationId) {
      const { state, index } = store.iteration(iterationId);
      if (state === "paused") return store.iteration(iterationId);
      if (!runner.isRunning(iterationId)) {
        throw new TrainingError("refused", `Iteration ${index} is ${state}; only a running one can be paused.`);
      }
      return runner.interrupt(iterationId, "pause");
    },

    async resume(iterationId) {
      const iteration = store.iteration(iterationId);
      const { state, index, resumeState } = iteration;
      if (runner.isRunning(iterationId)) return iteration;
      if ((state !== "paused" && state !== "failed") || resumeState === null) {
        throw new TrainingError(
          "refused",
          `Iteration ${index} is ${state}; only a paused or failed one can be resumed.`,
        );
      }
      const other = runner.active();
      if (other !== null && other.id !== iterationId) {
        throw new TrainingError("refused", `Iteration ${other.index} is ${other.state}. Finish or cancel it first.`);
      }
      if (allIterations(store, iteration.runId).some((one) => one.index > index)) {
        throw new TrainingError("refused", `Iteration ${index} was left behind by a later one and cannot be resumed.`);
      }
      const resumed: Iteration = { ...iteration, state: resumeState, resumeState: null, message: null };
      store.putIteration(resumed);
      runner.run(resumed, state === "failed");
      return resumed;
    },

    async cancel(iterationId) {
      const iteration = await runner.interrupt(iterationId, "cancel");
      if (iteration.state === "cancelled") return iteration;
      if (iteration.state === "done") {
        throw new TrainingError("refused", `Iteration ${iteration.index} is done; its policies are published.`);
      }
      const message = "Cancelled. Finished rollouts are kept; each agent stays at its last published version.";
      endRunningRollouts(store, iteration.runId, iterationId, "The iteration was cancelled.");
      runner.endRepeat();
      store.putIteration({
        ...iteration,
        state: "cancelled",
        resumeState: null,
        message,
        updatedAt: new Date().toISOString(),
      });
      return store.iteration(iterationId);
    },

    async reviewed(iterationId) {
      const iteration = store.iteration(iterationId);
      if (["done", "cancelled", "training", "evaluating"].includes(iteration.state)) {
        throw new TrainingError(
          "refused",
          `Iteration ${iteration.index} is ${iteration.state}; there is nothing to review.`,
        );
      }
      runner.reviewed(iterationId);
      return iteration;
    },

    async rollout(runId, asked, call) {
      const of = team(runId);
      const abort = new AbortController();
      reading.add(abort);
      try {
        if (engine !== null && commands !== null && of.trained.size > 0) {
          await engine.ready(call.signal);
          const engineAgents = [...of.trained.values()];
          await commands.asking(engineAgents, async () => {
            for (const engineAgent of engineAgents) await commands.synchronise(engineAgent);
          });
        }
        const signal = AbortSignal.any([call.signal, abort.signal]);
        const room = { store, sandbox, team: of, coach, policies: policies(of, of.versions()) };
        const config = IterationConfig.parse({ ...options.defaults });
        return await rollOutToRead(room, config, asked, { signal, progress: (value) => call.progress(value) });
      } finally {
        reading.delete(abort);
      }
    },

    fate: (score) => fateOf(store, score),
    preview: (actionId, value) => previewOf(store, actionId, value),

    status: () => ({
      engine: engineStatus.now(),
      sandbox: sandbox.status,
      coach: { name: coach.name, message: "" },
      activeIteration: runner.active(),
    }),
    get activeIteration() {
      return runner.active();
    },

    async resumeUnfinished() {
      endLeftRollouts(store);
      runner.resumeUnfinished();
    },

    idle: () => runner.idle(),

    async close() {
      for (const abort of reading) abort.abort();
      engineStatus.dispose();
      await runner.close();
    },
  };

  function workflowOr(name: string): Workflow {
    try {
      return workflowNamed(name);
    } catch (cause) {
      throw new TrainingError("refused", messageOf(cause), { cause });
    }
  }
}

/** The engine's name of each agent of a run, as the engine's own pages and files show it. */
export function engineNames(run: Run): Record<string, string> {
  return Object.fromEntries(run.agents.map((agent) => [agent, engineName(run.id, agent)]));
}

function noEngine(): TrainingError {
  const message =
    "No engine is set up, so nothing can be trained. Reading and overrides work; start the bridge with an engine.";
  return new TrainingError("unavailable", message);
}
