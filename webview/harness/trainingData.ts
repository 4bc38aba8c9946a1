// Hand-made runs for looking at the Training page: a team that gets better over twenty iterations, the last one under way.
import { type AgentMetrics, type Iteration, IterationConfig, type Run } from "../../src/protocol/model.ts";

const AGENTS = ["Problem Solver", "Code Executor", "Verifier"];
const AT = "2026-03-04T09:12:00.000Z";

function wave(index: number, salt: number): number {
  return Math.sin(index * 12.9898 + salt * 78.233) * 0.5;
}

function metrics(agent: string, place: number, index: number): AgentMetrics {
  const grown = 1 - Math.exp(-index / 6);
  return {
    agent,
    actionCount: 64,
    trainedCount: 60,
    missingScoreCount: index % 4,
    truncatedCount: Math.max(0, Math.round(9 - index / 2 + wave(index, place))),
    overrideCount: index % 5 === place ? 2 : 0,
    meanReward: 0.35 + 0.5 * grown + 0.05 * wave(index, place) - place * 0.05,
    stdReward: 0.2,
    meanReturn: 0.4,
    stdReturn: 0.2,
    kl: 0.002 * index + 0.003 * (1 + wave(index, place + 3)),
    clipFraction: 0.08 + 0.04 * wave(index, place + 5),
    logprobGap: 0.0001,
    gradNorm: 0.8,
    loss: -0.02,
    meanLength: 42 - index * 0.7 + 6 * wave(index, place + 7),
    entropy: 1.3 - 0.05 * index,
    coachBias: index % 5 === place ? 1.5 * wave(index, place) + 0.4 : null,
    skipped: null,
  };
}

function rate(successes: number, rollouts: number) {
  return { rollouts, successes, failures: 0, rate: successes / rollouts };
}

function iteration(index: number, isLast: boolean): Iteration {
  const grown = (at: number) => Math.round(64 * (0.3 + 0.62 * (1 - Math.exp(-at / 6))) + 3 * wave(at, 1));
  return {
    id: `it-${index}`,
    runId: "run-1",
    index,
    state: isLast ? "training" : "done",
    resumeState: null,
    config: IterationConfig.parse({}),
    policyVersionsBefore: {},
    policyVersionsAfter: isLast ? null : {},
    progress: isLast ? { done: 5, total: 12 } : { done: 0, total: 0 },
    batch: rate(grown(index - 0.5), 64),
    evaluationBefore: rate(grown(index - 1), 64),
    evaluationAfter: isLast ? null : rate(grown(index), 64),
    agents: AGENTS.map((agent, place) => metrics(agent, place, index)),
    message: null,
    timings: { sampling: 3100, coaching: 400, training: 2600, evaluating: isLast ? 0 : 2100 },
    createdAt: AT,
    updatedAt: AT,
  };
}

/** Answers of the Training page's wire; `data` none, empty or team, `state` as on the other page. */
export function trainingAnswers(
  query: URLSearchParams,
  announce: (method: string, params: unknown) => void,
): Readonly<Record<string, (params: { readonly command: string }) => unknown>> {
  const count = Number(query.get("iterations") ?? 18);
  const run: Run = {
    id: "run-1",
    name: "Small maths team",
    kind: "training",
    workflow: "tiny-math",
    agents: AGENTS,
    config: {},
    createdAt: AT,
    trajectoryCount: 1152,
    actionCount: 3456,
  };
  const iterations = Array.from({ length: count }, (_, place) =>
    iteration(place + 1, place + 1 === count && count > 2),
  );
  const none = query.get("data") === "none";
  const active = iterations.find((item) => item.state !== "done") ?? null;
  const away = query.get("state") === "offline";
  return {
    "page/ready": () => ({
      connection: away
        ? { state: "offline", message: "Trying again in 8 s.", queuedOverrides: 2, canOverride: true }
        : { state: "connected", message: "", queuedOverrides: 0, canOverride: true },
      status: none
        ? null
        : {
            bridgeVersion: "0.1.0",
            engine: { state: "ready", message: "", device: "cpu" },
            sandbox: { state: "ready", message: "" },
            coach: { name: "maths coach", message: "" },
            activeIteration: active,
            counts: { runs: 1, trajectories: 1152, actions: 3456, overrides: 4, missingScores: 2 },
            lastSeq: 1,
          },
      runs: none ? [] : [run, { ...run, id: "run-0", name: "Who&When import", kind: "import" }],
      runId: none ? null : "run-1",
      iterations: none ? [] : iterations,
      checkpoints: [],
    }),
    "run/select": () => ({ iterations: [], checkpoints: [] }),
    "command/run": ({ command }) => {
      if (command === "pauseIteration" && active !== null)
        announce("iteration/changed", { ...active, state: "paused", resumeState: active.state });
      return {};
    },
  };
}
