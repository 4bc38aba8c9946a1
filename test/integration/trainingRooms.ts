// Everything an iteration needs, real: store, engine process with the tiny policy, sandbox and rule coach, in one folder.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { IterationConfig } from "../../src/protocol/model.ts";
import { ruleCoach } from "../../trainer-bridge/coach/ruleCoach.ts";
import { openSandbox } from "../../trainer-bridge/sandbox/sandbox.ts";
import { openStore, type Store } from "../../trainer-bridge/store/store.ts";
import { type EngineProcess, superviseEngine } from "../../trainer-bridge/training/engineProcess.ts";
import { openTrainer, type Trainer } from "../../trainer-bridge/training/trainer.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** The rooms of one bridge, without its door. */
export interface TrainingRooms {
  readonly dir: string;
  readonly store: Store;
  readonly engine: EngineProcess;
  readonly trainer: Trainer;
  /** What the rooms logged. */
  readonly lines: string[];
  close(): Promise<void>;
}

/** Why these tests cannot run here; null where they can. */
export function missingForTraining(): string | null {
  if (!existsSync(pythonPath)) return "the Python environment is not set up (npm run setup)";
  if (!existsSync(path.join(warmPolicy, "config.json"))) return "the warm policy is not there";
  return null;
}

export const pythonPath = path.join(root, ".venv/bin/python");
export const warmPolicy = process.env.TOUCHLINE_BASE ?? path.join(root, "trainer-bridge/policy/warm");
export const engineDir = path.join(root, "trainer-bridge/engine");

/** Opens the rooms over a folder; they go on from what is in it. */
export async function openTrainingRooms(
  dir: string,
  options: { defaults?: Partial<IterationConfig>; policy?: { kind: "full" | "lora"; rank?: number } } = {},
): Promise<TrainingRooms> {
  const lines: string[] = [];
  const log = (message: string) => void lines.push(message);
  const store = openStore(path.join(dir, "store"));
  const engine = superviseEngine({
    python: pythonPath,
    engineDir,
    stateDir: path.join(dir, "engine"),
    base: warmPolicy,
    announce: (state, message) => store.announceEngine(state, message),
    log,
  });
  const sandbox = await openSandbox();
  const trainer = openTrainer({ store, engine: engine.client, sandbox, coach: ruleCoach(), log, ...options });
  return {
    dir,
    store,
    engine,
    trainer,
    lines,
    async close() {
      await trainer.close();
      await engine.close();
      await sandbox.close();
      store.close();
    },
  };
}

/** A folder of its own for a test. */
export function temporaryFolder(): { dir: string; remove(): void } {
  const dir = mkdtempSync(path.join(tmpdir(), "touchline-training-"));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** An iteration small enough for a test. */
export const smallConfig: Partial<IterationConfig> = {
  taskCount: 8,
  samplesPerTask: 2,
  evaluationTaskCount: 8,
  minibatchSize: 8,
};
