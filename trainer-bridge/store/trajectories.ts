// Runs and trajectories, with the counts and means that lists show; both are kept up to date by the store, never believed.
import type { Outcome, Run, Trajectory } from "../../src/protocol/model.ts";
import type { Database } from "./database.ts";
import type { Change } from "./events.ts";
import { keyOf, type Page, type PageAsked, pageOf } from "./page.ts";
import { notFound, StoreError } from "./storeError.ts";

/** Which trajectories to list; the parts are joined by "and". `success` is an outcome reward of at least 0.5. */
export interface TrajectoryFilter {
  readonly runId?: string | undefined;
  readonly iterationId?: string | undefined;
  readonly purpose?: Trajectory["purpose"] | undefined;
  readonly outcome?: Outcome["kind"] | undefined;
  readonly success?: boolean | undefined;
}

/** What actions and scores add to a trajectory's counts. `missing`: actions whose every score record lacks a value. */
export interface Tally {
  actions: number;
  scored: number;
  sum: number;
  missing: number;
  overrides: number;
}

interface RunRow {
  n: number;
  body: string;
  trajectoryCount: number;
  actionCount: number;
}

interface TrajectoryRow {
  n: number;
  runN: number;
  body: string;
  actionCount: number;
  scoredCount: number;
  scoreSum: number;
  minScore: number | null;
  missingCount: number;
  overrideCount: number;
}

type RunBody = Omit<Run, "trajectoryCount" | "actionCount">;

const runFrom = (row: RunRow): Run => ({
  ...(JSON.parse(row.body) as RunBody),
  trajectoryCount: row.trajectoryCount,
  actionCount: row.actionCount,
});

const trajectoryFrom = (row: TrajectoryRow): Trajectory => ({
  ...(JSON.parse(row.body) as Trajectory),
  actionCount: row.actionCount,
  // The sum grows and shrinks with overrides; rounding hides what adding in another order leaves.
  meanScore: row.scoredCount === 0 ? null : Math.round((row.scoreSum / row.scoredCount) * 1e9) / 1e9,
  minScore: row.minScore,
  missingScoreCount: row.missingCount,
  overrideCount: row.overrideCount,
});

/** Runs and trajectories of a database. Methods that write must be called inside a change. */
export function openTrajectories(database: Database) {
  const runRow = (id: string): RunRow => {
    const row = database.get<RunRow>("SELECT n, body, trajectoryCount, actionCount FROM run WHERE id = ?", id);
    if (row === undefined) throw notFound("run", id);
    return row;
  };
  const trajectoryRow = (id: string): TrajectoryRow => {
    const row = database.get<TrajectoryRow>("SELECT * FROM trajectory WHERE id = ?", id);
    if (row === undefined) throw notFound("trajectory", id);
    return row;
  };

  return {
    runRow,
    trajectoryRow,
    trajectoryFrom,
    run: (id: string): Run => runFrom(runRow(id)),
    has: (id: string): boolean => database.get("SELECT 1 FROM trajectory WHERE id = ?", id) !== undefined,

    runs(page: PageAsked): Page<Run> {
      const rows = database.all<RunRow>(
        "SELECT n, body, trajectoryCount, actionCount FROM run WHERE n < ? ORDER BY n DESC LIMIT ?",
        keyOf(page, Number.MAX_SAFE_INTEGER),
        page.limit + 1,
      );
      return pageOf(rows, page.limit, (row) => row.n, runFrom);
    },

    /** An import run that is already there is given back, so that importing a file again ends in the same run. */
    createRun(
      run: Omit<Run, "trajectoryCount" | "actionCount" | "createdAt">,
      createdAt: string,
      record: (change: Change) => void,
    ): Run {
      const existing = database.get<RunRow>(
        "SELECT n, body, trajectoryCount, actionCount FROM run WHERE id = ?",
        run.id,
      );
      if (existing !== undefined) {
        const there = runFrom(existing);
        if (run.kind === "import" && there.kind === "import") return there;
        throw new StoreError("conflict", `There is already a run with the id ${run.id}. Nothing was changed.`);
      }
      const body: RunBody = {
        id: run.id,
        name: run.name,
        kind: run.kind,
        workflow: run.workflow,
        agents: run.agents,
        config: run.config,
        createdAt,
      };
      database.run("INSERT INTO run (id, body) VALUES (?, ?)", run.id, JSON.stringify(body));
      const made: Run = { ...body, trajectoryCount: 0, actionCount: 0 };
      record({ kind: "run/changed", data: made });
      return made;
    },

    /** Inserts a trajectory without actions; gives its row number and that of its run. */
    insert(trajectory: Trajectory): { n: number; runN: number } {
      const runN = runRow(trajectory.runId).n;
      const {
        actionCount: _a,
        meanScore: _m,
        minScore: _n,
        missingScoreCount: _s,
        overrideCount: _o,
        ...body
      } = trajectory;
      const n = database.run(
        "INSERT INTO trajectory (id, runN, iterationId, purpose, outcome, reward, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        trajectory.id,
        runN,
        trajectory.iterationId,
        trajectory.purpose,
        trajectory.outcome.kind,
        trajectory.outcome.reward,
        JSON.stringify(body),
      ).rowId;
      database.run("UPDATE run SET trajectoryCount = trajectoryCount + 1 WHERE n = ?", runN);
      return { n, runN };
    },

    finish(id: string, outcome: Outcome, endedAt: string): Trajectory {
      const row = trajectoryRow(id);
      const {
        actionCount: _a,
        meanScore: _m,
        minScore: _n,
        missingScoreCount: _s,
        overrideCount: _o,
        ...body
      } = trajectoryFrom(row);
      const ended = JSON.stringify({ ...body, outcome, endedAt });
      database.run(
        "UPDATE trajectory SET outcome = ?, reward = ?, body = ? WHERE n = ?",
        outcome.kind,
        outcome.reward,
        ended,
        row.n,
      );
      return trajectoryFrom({ ...row, body: ended });
    },

    /** Adds to the counts of a trajectory and of its run; `minScore` is the new lowest effective score. */
    count(n: number, runN: number, tally: Tally, minScore: number | null): void {
      database.run(
        `UPDATE trajectory SET actionCount = actionCount + ?, scoredCount = scoredCount + ?,
          scoreSum = CASE WHEN scoredCount + ? = 0 THEN 0 ELSE scoreSum + ? END, minScore = ?,
          missingCount = missingCount + ?, overrideCount = overrideCount + ? WHERE n = ?`,
        tally.actions,
        tally.scored,
        tally.scored,
        tally.sum,
        minScore,
        tally.missing,
        tally.overrides,
        n,
      );
      database.run(
        "UPDATE run SET actionCount = actionCount + ?, missingCount = missingCount + ?, overrideCount = overrideCount + ? WHERE n = ?",
        tally.actions,
        tally.missing,
        tally.overrides,
        runN,
      );
    },

    trajectory: (id: string): Trajectory => trajectoryFrom(trajectoryRow(id)),

    trajectories(filter: TrajectoryFilter, page: PageAsked): Page<Trajectory> {
      const wheres = ["n < ?"];
      const values: (string | number)[] = [keyOf(page, Number.MAX_SAFE_INTEGER)];
      const also = (where: string, ...more: (string | number)[]) => {
        wheres.push(where);
        values.push(...more);
      };
      if (filter.runId !== undefined) also("runN = ?", runRow(filter.runId).n);
      if (filter.iterationId !== undefined) also("iterationId = ?", filter.iterationId);
      if (filter.purpose !== undefined) also("purpose = ?", filter.purpose);
      if (filter.outcome !== undefined) also("outcome = ?", filter.outcome);
      if (filter.success === true) also("reward >= 0.5");
      // A rollout without a reward is neither a success nor a failure, unless it failed outright.
      if (filter.success === false) also("(reward < 0.5 OR outcome = 'failed')");
      const rows = database.all<TrajectoryRow>(
        `SELECT * FROM trajectory WHERE ${wheres.join(" AND ")} ORDER BY n DESC LIMIT ?`,
        ...values,
        page.limit + 1,
      );
      return pageOf(rows, page.limit, (row) => row.n, trajectoryFrom);
    },

    counts() {
      const row = database.get<{
        runs: number;
        trajectories: number;
        actions: number;
        overrides: number;
        missingScores: number;
      }>(
        `SELECT count(*) AS runs, total(trajectoryCount) AS trajectories, total(actionCount) AS actions,
          total(overrideCount) AS overrides, total(missingCount) AS missingScores FROM run`,
      );
      return { runs: 0, trajectories: 0, actions: 0, overrides: 0, missingScores: 0, ...row };
    },
  };
}
