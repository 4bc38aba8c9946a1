// Actions: one narrow row for lists and marks, one body that never changes, and the words to find it by.

import type { ActionMark } from "../../src/protocol/bridge.ts";
import { effectiveScore } from "../../src/protocol/effective.ts";
import type { Action, ActionTokens, Score } from "../../src/protocol/model.ts";
import type { Blobs } from "./blobs.ts";
import type { Database } from "./database.ts";
import { keyOf, type Page, type PageAsked, pageOf } from "./page.ts";
import { matchExpression, placeOf, snippetOf, termsOf } from "./search.ts";
import { shortened } from "./shortening.ts";
import { notFound } from "./storeError.ts";
import type { Tally } from "./trajectories.ts";

/** An action that a search found. */
export interface Found {
  actionId: string;
  trajectoryId: string;
  runId: string;
  index: number;
  agent: string;
  snippet: string;
}

/** What lists and counts need of an action. */
export interface ActionRow {
  n: number;
  trajectoryN: number;
  recordCount: number;
  coach: number | null;
  override: number | null;
}

/** Characters of an action that can be searched; what lies behind them is stored all the same. */
const SEARCHED_CHARACTERS = 200_000;

const searchedText = (action: Action): string => {
  const parts = [action.text, action.thinking ?? ""];
  for (const call of action.toolCalls) parts.push(call.input, call.stdout, call.stderr, call.message ?? "");
  return parts.join("\n").slice(0, SEARCHED_CHARACTERS);
};

/** The first call that did not end well, else the last one's status. */
const toolStatusOf = ({ toolCalls }: Action): string | null =>
  (toolCalls.find(({ status }) => status !== "ok") ?? toolCalls.at(-1))?.status ?? null;

/** The two values of an action's score records, and how they count. */
export function countedScores(scores: readonly Score[]): {
  coach: number | null;
  override: number | null;
  tally: Tally;
} {
  const { coach, override } = effectiveScore(scores);
  const value = override?.value ?? coach?.value ?? null;
  return {
    coach: coach?.value ?? null,
    override: override?.value ?? null,
    tally: {
      actions: 0,
      scored: value === null ? 0 : 1,
      sum: value ?? 0,
      missing: value === null && scores.some(({ kind }) => kind === "score") ? 1 : 0,
      overrides: override === null ? 0 : 1,
    },
  };
}

/** Actions of a database. Methods that write must be called inside a change. */
export function openActions(database: Database, blobs: Blobs) {
  const row = (id: string): ActionRow => {
    const found = database.get<ActionRow>(
      "SELECT n, trajectoryN, recordCount, coach, override FROM action WHERE id = ?",
      id,
    );
    if (found === undefined) throw notFound("action", id);
    return found;
  };
  const bodyOf = (n: number): Action =>
    JSON.parse(database.get<{ body: string }>("SELECT body FROM actionBody WHERE n = ?", n)?.body ?? "null") as Action;

  return {
    row,

    /** Inserts an action with its tokens; its first score records count from the start. Gives its row number. */
    insert(
      given: Action,
      tokens: ActionTokens | null,
      scores: readonly Score[],
      trajectoryN: number,
      runN: number,
    ): { n: number; tally: Tally } {
      const { action, written } = shortened(given, blobs);
      for (const { sha256, mime, sizeBytes } of written) blobs.record(sha256, mime, sizeBytes);
      const { coach, override, tally } = countedScores(scores);
      const n = database.run(
        "INSERT INTO action (id, trajectoryN, idx, turn, agent, toolStatus, size, recordCount, coach, override) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        action.id,
        trajectoryN,
        action.index,
        action.turn,
        action.agent,
        toolStatusOf(action),
        action.text.length,
        scores.length,
        coach,
        override,
      ).rowId;
      database.run("INSERT INTO actionBody (n, body) VALUES (?, ?)", n, JSON.stringify(action));
      database.run(
        "INSERT INTO actionText (rowid, body, place) VALUES (?, ?, ?)",
        n,
        searchedText(given).toWellFormed().replaceAll("\0", " "),
        placeOf(runN),
      );
      if (tokens !== null) {
        database.run(
          "INSERT INTO actionTokens (n, promptTokenIds, tokenIds, logprobs, temperature) VALUES (?, ?, ?, ?, ?)",
          n,
          bytesOf(new Uint32Array(tokens.promptTokenIds)),
          bytesOf(new Uint32Array(tokens.tokenIds)),
          bytesOf(new Float64Array(tokens.logprobs)),
          tokens.temperature,
        );
      }
      return { n, tally: { ...tally, actions: 1 } };
    },

    /** Merges the index of words a little. In portions that grow with what was added, so that no acknowledgement waits for a large merge. */
    tidyWords(addedActions: number): void {
      database.run("INSERT INTO actionText (actionText, rank) VALUES ('merge', ?)", Math.max(8, addedActions));
    },

    setValues(n: number, coach: number | null, override: number | null): void {
      database.run(
        "UPDATE action SET coach = ?, override = ?, recordCount = recordCount + 1 WHERE n = ?",
        coach,
        override,
        n,
      );
    },

    /** The lowest effective score of a trajectory, looked up afresh. */
    lowest(trajectoryN: number): number | null {
      return (
        database.get<{ low: number | null }>(
          "SELECT min(coalesce(override, coach)) AS low FROM action WHERE trajectoryN = ?",
          trajectoryN,
        )?.low ?? null
      );
    },

    action: (id: string): Action => bodyOf(row(id).n),

    actions(trajectoryN: number, fromIndex: number, limit: number): Action[] {
      return database
        .all<{ body: string }>(
          "SELECT b.body FROM action a JOIN actionBody b ON b.n = a.n WHERE a.trajectoryN = ? AND a.idx >= ? ORDER BY a.idx LIMIT ?",
          trajectoryN,
          fromIndex,
          limit,
        )
        .map(({ body }) => JSON.parse(body) as Action);
    },

    marks(trajectoryN: number, fromIndex: number, limit: number): ActionMark[] {
      return database
        .all<ActionMark>(
          `SELECT id AS actionId, idx AS "index", turn, agent, coach, override, toolStatus, size FROM action
            WHERE trajectoryN = ? AND idx >= ? ORDER BY idx LIMIT ?`,
          trajectoryN,
          fromIndex,
          limit,
        )
        .map((mark) => ({ ...mark }));
    },

    tokens(id: string): ActionTokens | null {
      const found = database.get<{
        promptTokenIds: Uint8Array;
        tokenIds: Uint8Array;
        logprobs: Uint8Array;
        temperature: number;
      }>("SELECT promptTokenIds, tokenIds, logprobs, temperature FROM actionTokens WHERE n = ?", row(id).n);
      if (found === undefined) return null;
      return {
        actionId: id,
        promptTokenIds: [...new Uint32Array(bufferOf(found.promptTokenIds))],
        tokenIds: [...new Uint32Array(bufferOf(found.tokenIds))],
        logprobs: [...new Float64Array(bufferOf(found.logprobs))],
        temperature: found.temperature,
      };
    },

    /** Newest first. */
    search(query: string, runN: number | null, page: PageAsked): Page<Found> {
      const terms = termsOf(query);
      const expression = matchExpression(terms, runN);
      if (expression === null) return { items: [], next: null };
      const rows = database.all<{ n: number }>(
        "SELECT rowid AS n FROM actionText WHERE actionText MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
        expression,
        keyOf(page, Number.MAX_SAFE_INTEGER),
        page.limit + 1,
      );
      return pageOf(
        rows,
        page.limit,
        ({ n }) => n,
        ({ n }) => {
          const action = bodyOf(n);
          return {
            actionId: action.id,
            trajectoryId: action.trajectoryId,
            runId: action.runId,
            index: action.index,
            agent: action.agent,
            snippet: snippetOf(searchedText(action), terms),
          };
        },
      );
    },
  };
}

function bytesOf(numbers: Uint32Array | Float64Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** A copy that starts on a boundary of eight bytes, as typed arrays want it. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
