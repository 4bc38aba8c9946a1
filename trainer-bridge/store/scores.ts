// Score records: appended, never changed. An override and its undo name the record they were based on.

import { type EffectiveScore, effectiveScore } from "../../src/protocol/effective.ts";
import type { Score } from "../../src/protocol/model.ts";
import { type ActionRow, countedScores, type openActions } from "./actions.ts";
import type { Database } from "./database.ts";
import type { Change } from "./events.ts";
import { notFound, StoreError } from "./storeError.ts";
import type { openTrajectories } from "./trajectories.ts";

/** What a person decides about one action. `basedOn` is the record they saw in effect; null where there was none. */
export interface OverrideAsked {
  readonly requestId: string;
  readonly actionId: string;
  /** 0-10. */
  readonly value: number;
  readonly rationale: string;
  readonly author: string;
  readonly basedOn: string | null;
  readonly tags: readonly string[];
  /** When the person decided, where that was before now (offline). ISO 8601. */
  readonly decidedAt?: string | undefined;
}

/** What takes back the override `basedOn`. */
export interface UndoAsked {
  readonly requestId: string;
  readonly actionId: string;
  readonly author: string;
  readonly basedOn: string;
}

/** Score records of a database. Methods that write must be called inside a change. */
export function openScores(
  database: Database,
  actions: ReturnType<typeof openActions>,
  trajectories: ReturnType<typeof openTrajectories>,
  now: () => Date,
) {
  const ofRow = (n: number): Score[] =>
    database
      .all<{ body: string }>("SELECT body FROM score WHERE actionN = ? ORDER BY n", n)
      .map(({ body }) => JSON.parse(body) as Score);

  const insert = (score: Score, actionN: number): void => {
    database.run("INSERT INTO score (id, actionN, body) VALUES (?, ?, ?)", score.id, actionN, JSON.stringify(score));
  };

  /** Appends a record and moves the action's values and its trajectory's counts along. */
  const append = (
    score: Score,
    action: ActionRow,
    before: readonly Score[],
    record: (change: Change) => void,
  ): void => {
    const old = countedScores(before);
    const { coach, override, tally } = countedScores([...before, score]);
    insert(score, action.n);
    actions.setValues(action.n, coach, override);
    const trajectory = trajectories.trajectoryRow(score.trajectoryId);
    const oldValue = old.override ?? old.coach;
    const value = override ?? coach;
    // Only a lowest score that rose or went can leave another one lowest.
    const isLowestGone = oldValue !== null && oldValue === trajectory.minScore && (value === null || value > oldValue);
    const low = isLowestGone
      ? actions.lowest(action.trajectoryN)
      : value === null
        ? trajectory.minScore
        : Math.min(value, trajectory.minScore ?? value);
    trajectories.count(
      trajectory.n,
      trajectory.runN,
      {
        actions: 0,
        scored: tally.scored - old.tally.scored,
        sum: tally.sum - old.tally.sum,
        missing: tally.missing - old.tally.missing,
        overrides: tally.overrides - old.tally.overrides,
      },
      low,
    );
    record({ kind: "score/added", data: score });
    const changed = trajectories.trajectory(score.trajectoryId);
    if (changed.outcome.kind !== "running") record({ kind: "trajectory/changed", data: changed });
  };

  /** The record an earlier try with this request id made; throws where the id stands for something else. */
  const repeated = (
    asked: { requestId: string; actionId: string },
    kind: Score["kind"],
    isSame: (score: Score) => boolean,
  ): Score | null => {
    const row = database.get<{ body: string }>("SELECT body FROM score WHERE id = ?", asked.requestId);
    if (row === undefined) return null;
    const score = JSON.parse(row.body) as Score;
    if (score.kind === kind && score.actionId === asked.actionId && isSame(score)) return score;
    throw new StoreError(
      "conflict",
      `The request id ${asked.requestId} was already used for another change. Nothing was changed; send it with a new id.`,
      {
        current: effectiveScore(ofRow(actions.row(asked.actionId).n)).effective,
      },
    );
  };

  const blank = (actionId: string) => {
    const place = database.get<{ runId: string; trajectoryId: string; outcome: string }>(
      `SELECT r.id AS runId, t.id AS trajectoryId, t.outcome FROM action a
        JOIN trajectory t ON t.n = a.trajectoryN JOIN run r ON r.n = t.runN WHERE a.id = ?`,
      actionId,
    );
    if (place === undefined) throw notFound("action", actionId);
    return {
      runId: place.runId,
      trajectoryId: place.trajectoryId,
      actionId,
      source: "human",
      phase: place.outcome === "running" ? "online" : "hindsight",
      evidence: [],
      missingReason: null,
      promptSha256: null,
      promptTokenCount: null,
      outputTokenCount: null,
      cost: null,
    } satisfies Partial<Score>;
  };

  return {
    insert,
    append,
    ofAction: (actionId: string): Score[] => ofRow(actions.row(actionId).n),

    ofTrajectory(trajectoryN: number): Map<string, Score[]> {
      const byAction = new Map<string, Score[]>();
      const rows = database.all<{ body: string }>(
        "SELECT s.body FROM action a JOIN score s ON s.actionN = a.n WHERE a.trajectoryN = ? ORDER BY a.idx, s.n",
        trajectoryN,
      );
      for (const { body } of rows) {
        const score = JSON.parse(body) as Score;
        const there = byAction.get(score.actionId);
        if (there === undefined) byAction.set(score.actionId, [score]);
        else there.push(score);
      }
      return byAction;
    },

    setOverride(asked: OverrideAsked, record: (change: Change) => void): Score {
      const action = actions.row(asked.actionId);
      const again = repeated(
        asked,
        "override",
        (score) => score.value === asked.value && score.rationale === asked.rationale && score.author === asked.author,
      );
      if (again !== null) return again;
      const before = ofRow(action.n);
      const { effective } = effectiveScore(before);
      if ((effective?.id ?? null) !== asked.basedOn) throw conflict(effective);
      const score: Score = {
        id: asked.requestId,
        ...blank(asked.actionId),
        kind: "override",
        value: asked.value,
        rationale: asked.rationale,
        tags: [...asked.tags],
        author: asked.author,
        basedOn: asked.basedOn,
        at: decided(asked.decidedAt, now()),
      };
      append(score, action, before, record);
      return score;
    },

    undoOverride(asked: UndoAsked, record: (change: Change) => void): { score: Score; effective: Score | null } {
      const action = actions.row(asked.actionId);
      const before = ofRow(action.n);
      const again = repeated(
        asked,
        "undo",
        (score) => score.basedOn === asked.basedOn && score.author === asked.author,
      );
      if (again !== null) return { score: again, effective: effectiveScore(before).effective };
      const inEffect: EffectiveScore = effectiveScore(before);
      if (inEffect.override?.id !== asked.basedOn) throw conflict(inEffect.effective);
      const score: Score = {
        id: asked.requestId,
        ...blank(asked.actionId),
        kind: "undo",
        value: null,
        rationale: "",
        tags: [],
        author: asked.author,
        basedOn: asked.basedOn,
        at: now().toISOString(),
      };
      append(score, action, before, record);
      return { score, effective: effectiveScore([...before, score]).effective };
    },
  };
}

function conflict(current: Score | null): StoreError {
  const inEffect = current === null ? "no score is in effect any more" : `${current.author} set ${current.value}`;
  return new StoreError(
    "conflict",
    `Another record came first: ${inEffect}. Yours was not stored. Look at it, then keep yours or take theirs.`,
    { current },
  );
}

/** The time a person gave, where it can be read and is not in the future; else now. */
function decided(at: string | undefined, now: Date): string {
  const time = at === undefined ? Number.NaN : Date.parse(at);
  return (time <= now.getTime() ? new Date(time) : now).toISOString();
}
