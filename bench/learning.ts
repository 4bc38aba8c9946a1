// Figures of learning: how the tiny team's success on held-out tasks rises, and what an iteration costs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Iteration, IterationConfig } from "../src/protocol/model.ts";
import { ruleCoach } from "../trainer-bridge/coach/ruleCoach.ts";
import { openSandbox } from "../trainer-bridge/sandbox/sandbox.ts";
import { openStore } from "../trainer-bridge/store/store.ts";
import { startEngine } from "../trainer-bridge/training/engineProcess.ts";
import { openTrainer } from "../trainer-bridge/training/trainer.ts";
import type { Figure } from "./figure.ts";

const root = path.resolve(import.meta.dirname, "..");
const ITERATIONS = Number(process.env.TOUCHLINE_ITERATIONS ?? 20);

/** Trains the tiny team for up to 20 iterations of 64 rollouts and measures each on 64 held-out tasks. */
export async function run(): Promise<Figure[]> {
  const dir = mkdtempSync(path.join(tmpdir(), "touchline-learning-"));
  const log = process.env.TOUCHLINE_VERBOSE ? (line: string) => process.stderr.write(`${line}\n`) : () => {};
  const store = openStore(path.join(dir, "store"));
  const engine = await startEngine({
    python: path.join(root, ".venv/bin/python"),
    engineDir: path.join(root, "trainer-bridge/engine"),
    stateDir: path.join(dir, "engine"),
    base: process.env.TOUCHLINE_BASE ?? path.join(root, "trainer-bridge/policy/warm"),
    announce: (state, message) => store.announceEngine(state, message),
    log,
  });
  const sandbox = await openSandbox();
  const trainer = openTrainer({ store, engine: engine.client, sandbox, coach: ruleCoach(), log });
  const printed = new Set<string>();
  const printing = store.onEvent((event) => {
    if (event.kind !== "iteration/changed" || event.data.state !== "done" || printed.has(event.data.id)) return;
    if (printed.size === 0)
      process.stderr.write(rowOf(0, event.data.evaluationBefore?.rate ?? null, event.data, "before"));
    printed.add(event.data.id);
    process.stderr.write(rowOf(event.data.index, event.data.evaluationAfter?.rate ?? null, event.data, "after"));
  });
  try {
    const training = trainer.createRun({ name: "learning", workflow: "tiny-math", taskSet: "arithmetic", seed: 1 });
    const startedAt = performance.now();
    await trainer.start(training.id, IterationConfig.parse({}), ITERATIONS - 1);
    await trainer.idle();
    const seconds = (performance.now() - startedAt) / 1000;
    return figuresOf(store.iterations(training.id, { cursor: null, limit: 500 }).items, seconds);
  } finally {
    printing.dispose();
    await trainer.close();
    await engine.close();
    await sandbox.close();
    store.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function figuresOf(iterations: readonly Iteration[], seconds: number): Figure[] {
  const unfinished = iterations.find((iteration) => iteration.state !== "done");
  if (unfinished !== undefined) {
    throw new Error(`Iteration ${unfinished.index} ended ${unfinished.state}: ${unfinished.message ?? "no message"}`);
  }
  const first = iterations[0]?.evaluationBefore?.rate ?? Number.NaN;
  const rates = iterations.map((iteration) => iteration.evaluationAfter?.rate ?? Number.NaN);
  const over = rates.findIndex((rate) => rate > 0.85) + 1;
  const each = iterations.map(secondsOf).sort((a, b) => a - b);
  const peer = null;
  return [
    { name: "held-out success before learning", value: first, unit: "share of tasks", goal: "< 0.35", peer },
    {
      name: "held-out success, best of 20 iterations",
      value: Math.max(...rates),
      unit: "share of tasks",
      goal: "> 0.85",
      peer,
    },
    {
      name: "held-out success after the last",
      value: rates.at(-1) ?? Number.NaN,
      unit: "share of tasks",
      goal: "> 0.85",
      peer,
    },
    {
      name: "iterations until over 85%",
      value: over === 0 ? Number.NaN : over,
      unit: "iterations",
      goal: "<= 20",
      peer,
    },
    {
      name: "one iteration, median",
      value: each[Math.floor(each.length / 2)] ?? Number.NaN,
      unit: "s",
      goal: "< 10",
      peer,
    },
    { name: "one iteration, slowest", value: each.at(-1) ?? Number.NaN, unit: "s", goal: "< 10", peer },
    { name: "the whole curve", value: seconds, unit: "s", goal: "< 200", peer },
  ];
}

function secondsOf(iteration: Iteration): number {
  return Object.values(iteration.timings).reduce((sum, ms) => sum + ms, 0) / 1000;
}

function rowOf(index: number, rate: number | null, iteration: Iteration, when: "before" | "after"): string {
  const share = rate === null ? "  - " : rate.toFixed(2);
  const bar = "#".repeat(Math.round((rate ?? 0) * 40)).padEnd(40, ".");
  if (when === "before") return `iteration ${String(index).padStart(2)}  held-out ${share} ${bar}\n`;
  const spent = Object.entries(iteration.timings)
    .filter(([, ms]) => ms >= 5)
    .map(([state, ms]) => `${state} ${(ms / 1000).toFixed(2)}`)
    .join(", ");
  return `iteration ${String(index).padStart(2)}  held-out ${share} ${bar} ${secondsOf(iteration).toFixed(1)} s (${spent})\n`;
}

if (import.meta.main) {
  for (const figure of await run()) process.stdout.write(`${JSON.stringify(figure)}\n`);
}
