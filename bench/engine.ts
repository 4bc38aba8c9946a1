// Figures of the engine with the small policy: start, memory, sampling and training; one process, as the bridge starts it.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Datum, EngineHealth } from "../src/protocol/engine.ts";
import { openAiPolicy } from "../trainer-bridge/rollouts/openAiPolicy.ts";
import { startEngine } from "../trainer-bridge/training/engineProcess.ts";
import type { Figure } from "./figure.ts";

const root = path.resolve(import.meta.dirname, "..");
const AGENT = "problem_solver";
const MODEL = `${AGENT}@v0`;
const ROWS = 64;
const problem = (i: number) => `Nora owns ${20 + i} balls and gets ${3 + (i % 7)} every day. How many after 5 days?`;

/** Median of the times of one piece of work, seconds; the first time is not counted. */
async function medianSeconds(times: number, work: () => Promise<unknown>): Promise<number> {
  const seconds: number[] = [];
  for (let i = 0; i <= times; i++) {
    const start = performance.now();
    await work();
    if (i > 0) seconds.push((performance.now() - start) / 1000);
  }
  return seconds.toSorted((a, b) => a - b)[Math.floor(seconds.length / 2)] ?? Number.NaN;
}

/** Measures: ready, memory after work, tokens per second. */
export async function run(): Promise<Figure[]> {
  const stateDir = mkdtempSync(path.join(os.tmpdir(), "touchline-bench-engine-"));
  const startedAt = performance.now();
  const engine = await startEngine({
    python: path.join(root, ".venv/bin/python"),
    engineDir: path.join(root, "trainer-bridge/engine"),
    stateDir,
    base: path.join(root, "trainer-bridge/policy/warm"),
    announce: () => {},
    log: (message) => process.stderr.write(`${message}\n`),
  });
  try {
    const readySeconds = (performance.now() - startedAt) / 1000;
    const address = engine.client.url();
    for (const agent of [AGENT, "code_executor", "verifier"])
      await engine.client.call("/train/create", { agent, kind: "full" });
    const sample = openAiPolicy(`${address}/v1`, null);
    const signal = new AbortController().signal;
    const sampleAll = () =>
      Promise.all(
        Array.from({ length: ROWS }, (_, i) => {
          const messages = [
            { role: "system" as const, content: "Problem Solver" },
            { role: "user" as const, content: problem(i) },
          ];
          return sample({ model: MODEL, messages, temperature: 1, maxTokens: 96, seed: i, signal });
        }),
      );
    const replies = await sampleAll();
    const sampled = replies.reduce((sum, reply) => sum + (reply.tokenIds?.length ?? 0), 0);
    const samplingSeconds = await medianSeconds(5, sampleAll);
    const data = replies.map((reply): Datum => {
      const tokenIds = reply.tokenIds ?? [];
      return {
        promptTokenIds: reply.promptTokenIds ?? [],
        tokenIds,
        logprobs: reply.logprobs ?? [],
        advantages: tokenIds.map(() => 1e-3),
        temperature: 1,
      };
    });
    const trained = data.reduce((sum, datum) => sum + datum.promptTokenIds.length + datum.tokenIds.length, 0);
    let seq = 0;
    const adam = { lr: 1e-5, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0, gradClipNorm: 1 };
    const config = { clipLow: 0.8, clipHigh: 1.2 };
    const trainingSeconds = await medianSeconds(5, async () => {
      await engine.client.call("/train/forward_backward", { agent: AGENT, seq: ++seq, data, loss: "ppo", config });
      await engine.client.call("/train/optim_step", { agent: AGENT, seq: ++seq, adam });
    });
    const { rssBytes } = EngineHealth.parse(await (await fetch(`${address}/healthz`)).json());
    return [
      figure("engine ready, small policy", readySeconds, "s", "< 6"),
      figure("engine memory after sampling and training, 3 agents", rssBytes / 1e6, "MB", "< 600"),
      figure(`engine sampling, ${ROWS} requests at once`, sampled / samplingSeconds, "output tokens/s", ">= 2000"),
      figure(`engine training, ${ROWS} actions a step`, trained / trainingSeconds, "tokens/s", ">= 5000"),
    ];
  } finally {
    await engine.close();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

function figure(name: string, value: number, unit: string, goal: string): Figure {
  return { name, value: Math.round(value * 100) / 100, unit, goal, peer: null };
}
