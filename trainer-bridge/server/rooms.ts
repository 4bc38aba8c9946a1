// What the server needs of the rooms behind it; `main.ts` passes them in.
import type { BridgeStatus } from "../../src/protocol/bridge.ts";
import type { Iteration, IterationConfig, OverrideFate, Run, Score } from "../../src/protocol/model.ts";
import type { Store, WholeTrajectory } from "../store/store.ts";

/** What a long request tells while it runs. */
export interface Progress {
  done: number;
  total: number;
  message: string;
}

/** How a long request is cancelled and followed. */
export interface LongCall {
  readonly signal: AbortSignal;
  progress(value: Progress): void;
}

/** The part of the trainer that the wire reaches. */
export interface TrainerDoor {
  status(): Pick<BridgeStatus, "engine" | "sandbox" | "coach" | "activeIteration">;
  createRun(params: { name: string; workflow: string; taskSet: string; seed: number }): Run | Promise<Run>;
  rollout(
    runId: string,
    options: { taskCount: number; samplesPerTask: number; concurrency: number; coach: boolean },
    call: LongCall,
  ): Promise<{ completed: number; failed: number; cancelled: number }>;
  start(runId: string, config: Partial<IterationConfig>, repeat: number): Promise<Iteration>;
  pause(iterationId: string): Promise<Iteration> | Iteration;
  resume(iterationId: string): Promise<Iteration> | Iteration;
  cancel(iterationId: string): Promise<Iteration> | Iteration;
  reviewed(iterationId: string): Promise<Iteration> | Iteration;
  fate(score: Score): OverrideFate;
  preview(
    actionId: string,
    value: number,
  ): { advantageBefore: number | null; advantageAfter: number | null; batchSize: number; message: string };
}

/** What the importer made of one file: good rows to keep, and what was left out and why. */
export interface Imported {
  format: string | null;
  run: Omit<Run, "trajectoryCount" | "actionCount" | "createdAt"> | Run | null;
  trajectories: readonly WholeTrajectory[];
  problems: readonly { where: string; message: string }[];
}

/** Reads a file of another tool; pure. */
export type Importer = (fileName: string, bytes: Uint8Array, runName: string) => Imported | Promise<Imported>;

/** Where the server reports what a client is not told. Never given a token or a key. */
export type Log = (message: string, error?: unknown) => void;

/** All that a session's handlers reach. */
export interface Rooms {
  readonly store: Store;
  readonly trainer: TrainerDoor;
  readonly importer: Importer;
  readonly log: Log;
  readonly version: string;
  /** Folder for the files of unfinished uploads. */
  readonly uploadsDir: string;
}
