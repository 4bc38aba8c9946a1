// The truth on disk: one SQLite file with append-only scores and numbered events, and blobs beside it.
import { randomUUID } from "node:crypto";
import type { ActionMark } from "../../src/protocol/bridge.ts";
import type {
  Action,
  ActionTokens,
  Checkpoint,
  Event,
  Iteration,
  OptimizerStep,
  Outcome,
  Run,
  Score,
  Trajectory,
} from "../../src/protocol/model.ts";
import { type Found, openActions } from "./actions.ts";
import { openBlobs } from "./blobs.ts";
import { openDatabase } from "./database.ts";
import { type Change, openEvents } from "./events.ts";
import { type Command, type CommandRecord, openIterations } from "./iterations.ts";
import type { Page, PageAsked } from "./page.ts";
import { type OverrideAsked, openScores, type UndoAsked } from "./scores.ts";
import { openTrajectories, type Tally, type TrajectoryFilter } from "./trajectories.ts";

export type { Found } from "./actions.ts";
export type { Command, CommandRecord } from "./iterations.ts";
export type { Page, PageAsked } from "./page.ts";
export type { OverrideAsked, UndoAsked } from "./scores.ts";
// biome-ignore lint/performance/noBarrelFile: a caller that opens the store also catches its error.
export { StoreError, type StoreErrorCode } from "./storeError.ts";
export type { TrajectoryFilter } from "./trajectories.ts";

/** One trajectory with all that belongs to it, as an importer gives it. */
export interface WholeTrajectory {
  readonly trajectory: Trajectory;
  readonly actions: readonly {
    readonly action: Action;
    readonly tokens: ActionTokens | null;
    readonly scores: readonly Score[];
  }[];
}

/** The store. A call that writes is one transaction with its events, on disk when it returns; all calls throw StoreError. */
export interface Store {
  /** Id of this bridge, made once with the database. */
  readonly id: string;
  close(): void;

  /** An import run that is already there is given back. */
  createRun(run: Omit<Run, "trajectoryCount" | "actionCount" | "createdAt">): Run;
  run(id: string): Run;
  /** Newest first. */
  runs(page: PageAsked): Page<Run>;

  /** Its counts and means start at nothing, whatever it says. */
  addTrajectory(trajectory: Trajectory): void;
  finishTrajectory(id: string, outcome: Outcome, endedAt: string): Trajectory;
  hasTrajectory(id: string): boolean;
  trajectory(id: string): Trajectory;
  /** Newest first. */
  trajectories(filter: TrajectoryFilter, page: PageAsked): Page<Trajectory>;
  /** Import and bulk: one transaction, one event a trajectory. Those already there are left as they are and counted as duplicates. */
  addTrajectories(batch: readonly WholeTrajectory[]): { added: number; duplicates: number };

  /** Outputs over 64 KB go to blobs; head and tail stay. */
  addAction(action: Action, tokens: ActionTokens | null, scores?: readonly Score[]): void;
  /** Many at once, in one transaction: what arrives fast need not wait for the disk each time. */
  addActions(batch: WholeTrajectory["actions"]): void;
  action(id: string): Action;
  actions(trajectoryId: string, fromIndex: number, limit: number): Action[];
  marks(trajectoryId: string, fromIndex: number, limit: number): { marks: ActionMark[]; total: number };
  tokens(actionId: string): ActionTokens | null;
  /** Words, "phrases" and prefixes*, all of which must be found; newest first. */
  search(query: string, filter: { readonly runId?: string | undefined }, page: PageAsked): Page<Found>;

  /** Appends a coach's or rule's record. */
  addScore(score: Score): Score;
  scores(actionId: string): Score[];
  scoresOfTrajectory(trajectoryId: string): Map<string, Score[]>;
  /** Appends an override; its id is the request's, so a repeat gives the same record. Throws a conflict where another record is in effect than `basedOn`. */
  setOverride(asked: OverrideAsked): Score;
  undoOverride(asked: UndoAsked): { score: Score; effective: Score | null };

  putIteration(iteration: Iteration): void;
  iteration(id: string): Iteration;
  /** In the order they ran. */
  iterations(runId: string, page: PageAsked): Page<Iteration>;
  /** Neither done, cancelled nor failed, oldest first. */
  unfinishedIterations(): Iteration[];
  /** A step with an id that is already there is left as it is. */
  addStep(step: OptimizerStep): void;
  steps(iterationId: string): OptimizerStep[];
  stepsUsingScore(scoreId: string): OptimizerStep[];
  /** A checkpoint with an id that is already there is left as it is. */
  addCheckpoint(checkpoint: Checkpoint): void;
  checkpoints(runId: string): Checkpoint[];

  addCommand(command: Command): void;
  finishCommand(agent: string, seq: number, reply: unknown): void;
  commands(agent: string, afterSeq: number): CommandRecord[];
  /** 0 where there is none. */
  lastCommandSeq(agent: string): number;
  putNote(key: string, value: unknown): void;
  note(key: string): unknown;

  /** Gives the SHA-256 in hex. */
  putBlob(bytes: Uint8Array, mime: string): string;
  blob(sha256: string): { bytes: Buffer; mime: string } | null;
  blobPart(sha256: string, offset: number, length: number): { bytes: Buffer; total: number; mime: string } | null;

  announceEngine(state: "starting" | "ready" | "stopped" | "failed", message: string): void;
  /** The oldest event that is still kept; `lastSeq() + 1` where none is. */
  firstSeq(): number;
  lastSeq(): number;
  eventsAfter(seq: number, limit: number): Event[];
  /** Called after the commit, in order of `seq`. */
  onEvent(listener: (event: Event) => void): { dispose(): void };
  counts(): { runs: number; trajectories: number; actions: number; overrides: number; missingScores: number };
}

/** What a test or an operator may set. */
export interface StoreOptions {
  readonly now?: () => Date;
  /** The newest events that are kept. */
  readonly eventCap?: number;
  /** Most pages of 4 KiB the database may grow to; beyond it the store is full. */
  readonly maxPages?: number;
}

const EVENT_CAP = 200_000;

/** Opens or makes the store in `dir`. Throws a StoreError that says what to do where it cannot. */
export function openStore(dir: string, options: StoreOptions = {}): Store {
  const now = options.now ?? (() => new Date());
  const database = openDatabase(dir, options.maxPages);
  try {
    return storeOver(database, now, options.eventCap ?? EVENT_CAP);
  } catch (error) {
    database.close();
    throw error;
  }
}

function storeOver(database: ReturnType<typeof openDatabase>, now: () => Date, eventCap: number): Store {
  const id = bridgeId(database);
  const events = openEvents(database, now, eventCap);
  const blobs = openBlobs(database);
  const trajectories = openTrajectories(database);
  const actions = openActions(database, blobs);
  const scores = openScores(database, actions, trajectories, now);
  const iterations = openIterations(database, trajectories);
  const { change } = events;

  const insertWhole = ({ trajectory, actions: given }: WholeTrajectory, record: (change: Change) => void): void => {
    const { n, runN } = trajectories.insert(trajectory);
    const tally: Tally = { actions: 0, scored: 0, sum: 0, missing: 0, overrides: 0 };
    for (const { action, tokens, scores: records } of given) {
      const inserted = actions.insert(action, tokens, records, n, runN);
      for (const score of records) scores.insert(score, inserted.n);
      for (const key of Object.keys(tally) as (keyof Tally)[]) tally[key] += inserted.tally[key];
    }
    trajectories.count(n, runN, tally, tally.scored === 0 ? null : actions.lowest(n));
    record({ kind: "trajectory/changed", data: trajectories.trajectory(trajectory.id) });
  };

  const insertLive = (batch: WholeTrajectory["actions"], record: (change: Change) => void): void => {
    for (const { action, tokens, scores: given } of batch) {
      const { n, runN, minScore } = trajectories.trajectoryRow(action.trajectoryId);
      actions.insert(action, tokens, [], n, runN);
      trajectories.count(n, runN, { actions: 1, scored: 0, sum: 0, missing: 0, overrides: 0 }, minScore);
      const { id: actionId, trajectoryId, runId, index, agent } = action;
      record({ kind: "action/added", data: { actionId, trajectoryId, runId, index, agent } });
      for (const [place, score] of given.entries())
        scores.append(score, actions.row(actionId), given.slice(0, place), record);
    }
    actions.tidyWords(batch.length);
  };

  return {
    id,
    close: () => database.close(),

    createRun: (run) => change((record) => trajectories.createRun(run, now().toISOString(), record)),
    run: trajectories.run,
    runs: trajectories.runs,

    addTrajectory: (trajectory) =>
      change((record) => {
        insertWhole({ trajectory, actions: [] }, record);
        record({ kind: "run/changed", data: trajectories.run(trajectory.runId) });
      }),
    finishTrajectory: (trajectoryId, outcome, endedAt) =>
      change((record) => {
        const trajectory = trajectories.finish(trajectoryId, outcome, endedAt);
        record({ kind: "trajectory/changed", data: trajectory });
        record({ kind: "run/changed", data: trajectories.run(trajectory.runId) });
        return trajectory;
      }),
    hasTrajectory: trajectories.has,
    trajectory: trajectories.trajectory,
    trajectories: trajectories.trajectories,
    addTrajectories: (batch) =>
      change((record) => {
        let added = 0;
        const touched = new Set<string>();
        for (const whole of batch) {
          if (trajectories.has(whole.trajectory.id)) continue;
          insertWhole(whole, record);
          touched.add(whole.trajectory.runId);
          added += 1;
        }
        for (const runId of touched) record({ kind: "run/changed", data: trajectories.run(runId) });
        actions.tidyWords(batch.reduce((total, whole) => total + whole.actions.length, 0));
        return { added, duplicates: batch.length - added };
      }),

    addAction: (action, tokens, given = []) =>
      change((record) => insertLive([{ action, tokens, scores: given }], record)),
    addActions: (batch) => change((record) => insertLive(batch, record)),
    action: actions.action,
    actions: (trajectoryId, fromIndex, limit) =>
      actions.actions(trajectories.trajectoryRow(trajectoryId).n, fromIndex, limit),
    marks: (trajectoryId, fromIndex, limit) => {
      const { n, actionCount } = trajectories.trajectoryRow(trajectoryId);
      return { marks: actions.marks(n, fromIndex, limit), total: actionCount };
    },
    tokens: actions.tokens,
    search: (query, filter, page) =>
      actions.search(query, filter.runId === undefined ? null : trajectories.runRow(filter.runId).n, page),

    addScore: (score) =>
      change((record) => {
        scores.append(score, actions.row(score.actionId), scores.ofAction(score.actionId), record);
        return score;
      }),
    scores: scores.ofAction,
    scoresOfTrajectory: (trajectoryId) => scores.ofTrajectory(trajectories.trajectoryRow(trajectoryId).n),
    setOverride: (asked) => change((record) => scores.setOverride(asked, record)),
    undoOverride: (asked) => change((record) => scores.undoOverride(asked, record)),

    putIteration: (iteration) => change((record) => iterations.put(iteration, record)),
    iteration: iterations.iteration,
    iterations: iterations.iterations,
    unfinishedIterations: iterations.unfinished,
    addStep: (step) => change((record) => iterations.addStep(step, record)),
    steps: iterations.steps,
    stepsUsingScore: iterations.stepsUsingScore,
    addCheckpoint: (checkpoint) => change((record) => iterations.addCheckpoint(checkpoint, record)),
    checkpoints: iterations.checkpoints,

    addCommand: (command) => database.transaction(() => iterations.addCommand(command)),
    finishCommand: (agent, seq, reply) => database.transaction(() => iterations.finishCommand(agent, seq, reply)),
    commands: iterations.commands,
    lastCommandSeq: iterations.lastCommandSeq,
    putNote: (key, value) => database.transaction(() => iterations.putNote(key, value)),
    note: iterations.note,

    putBlob: (bytes, mime) => {
      const sha256 = blobs.write(bytes);
      database.transaction(() => blobs.record(sha256, mime, bytes.length));
      return sha256;
    },
    blob: blobs.read,
    blobPart: blobs.readPart,

    announceEngine: (state, message) =>
      change((record) => record({ kind: "engine/changed", data: { state, message } })),
    firstSeq: events.firstSeq,
    lastSeq: events.lastSeq,
    eventsAfter: events.after,
    onEvent: events.onEvent,
    counts: trajectories.counts,
  };
}

/** Made once with the database, so that a client knows the bridge again. */
function bridgeId(database: ReturnType<typeof openDatabase>): string {
  const row = database.get<{ value: string }>("SELECT value FROM meta WHERE key = 'bridgeId'");
  if (row !== undefined) return row.value;
  const id = randomUUID();
  database.transaction(() => database.run("INSERT INTO meta (key, value) VALUES ('bridgeId', ?)", id));
  return id;
}
