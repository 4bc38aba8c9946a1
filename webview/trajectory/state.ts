// The Trajectory page as one value, and the one pure function that moves it on.
import type { ActionMark, ActionView } from "../../src/protocol/bridge.ts";
import { effectiveScore } from "../../src/protocol/effective.ts";
import type { Event, OverrideFate, Score, Trajectory } from "../../src/protocol/model.ts";
import type { Connection, QueuedOverride } from "../../src/protocol/webview.ts";

/** What an override that is not saved yet would do to the advantage. */
export interface Preview {
  readonly value: number;
  readonly before: number | null;
  readonly after: number | null;
  readonly batchSize: number;
  readonly message: string;
}

/** An override being written; it stays with its action until it is saved or cancelled. */
export interface Draft {
  readonly value: number | null;
  readonly rationale: string;
  readonly preview: Preview | null;
  readonly isSaving: boolean;
  readonly error: string | null;
  /** The score that came first, where saving met one. */
  readonly conflict: Score | null;
}

/** A wish to bring an action into view; `serial` tells one wish from the next. */
export interface Wish {
  readonly index: number;
  readonly serial: number;
  /** Whether the row also takes the keyboard focus. */
  readonly takesFocus: boolean;
}

/** Everything the Trajectory page shows. */
export interface State {
  readonly phase: "loading" | "none" | "ready" | "failed";
  /** Why loading failed. */
  readonly error: string | null;
  /** A failed request that the person started, until they dismiss it. */
  readonly notice: string | null;
  readonly connection: Connection;
  readonly author: string;
  readonly blindFirst: boolean;
  readonly trajectory: Trajectory | null;
  /** One mark an action, by index. */
  readonly marks: readonly ActionMark[];
  /** Actions near the viewport, by index. */
  readonly bodies: ReadonlyMap<number, ActionView>;
  readonly queued: readonly QueuedOverride[];
  readonly fates: readonly OverrideFate[];
  readonly selected: number | null;
  readonly drafts: ReadonlyMap<string, Draft>;
  /** Folds that are open, as `actionId/part`. */
  readonly open: ReadonlySet<string>;
  /** Evidence whose lines are lit. */
  readonly lit: { readonly actionId: string; readonly scoreId: string; readonly evidence: number } | null;
  /** Actions whose coach score was uncovered in blind-first review. */
  readonly uncovered: ReadonlySet<string>;
  /** Live actions that arrived below what is being read. */
  readonly unseen: number;
  readonly isAtEnd: boolean;
  readonly isHelpOpen: boolean;
  readonly isProblemOpen: boolean;
  readonly wish: Wish | null;
}

/** What the page is told to show at once. */
export interface Snapshot {
  readonly connection: Connection;
  readonly trajectory: Trajectory | null;
  readonly marks: readonly ActionMark[];
  readonly queued: readonly QueuedOverride[];
  readonly fates: readonly OverrideFate[];
  readonly author: string;
  readonly blindFirst: boolean;
  readonly reveal: string | null;
}

/** Everything that can happen to the page. */
export type Message =
  | { readonly type: "loading" }
  | { readonly type: "loaded"; readonly snapshot: Snapshot; readonly selected: number | null }
  | { readonly type: "failed"; readonly error: string }
  | { readonly type: "notice"; readonly text: string | null }
  | { readonly type: "connection"; readonly connection: Connection }
  | { readonly type: "events"; readonly events: readonly Event[] }
  | { readonly type: "marks"; readonly marks: readonly ActionMark[]; readonly isLive: boolean }
  | { readonly type: "bodies"; readonly items: readonly ActionView[] }
  | { readonly type: "evict"; readonly from: number; readonly to: number }
  | { readonly type: "queue"; readonly queued: readonly QueuedOverride[] }
  | { readonly type: "fates"; readonly fates: readonly OverrideFate[] }
  | { readonly type: "fate"; readonly fate: OverrideFate }
  | { readonly type: "select"; readonly index: number; readonly isWished: boolean; readonly takesFocus?: boolean }
  | { readonly type: "reveal"; readonly actionId: string }
  | { readonly type: "atEnd"; readonly isAtEnd: boolean }
  | { readonly type: "toggle"; readonly key: string }
  | { readonly type: "light"; readonly lit: State["lit"] }
  | { readonly type: "help"; readonly isOpen: boolean }
  | { readonly type: "problem" }
  | { readonly type: "draft"; readonly actionId: string; readonly change: Partial<Draft> }
  | { readonly type: "draftEnded"; readonly actionId: string; readonly isCommitted: boolean }
  | { readonly type: "scored"; readonly score: Score };

/** The page before its host has said anything. */
export const initialState: State = {
  phase: "loading",
  error: null,
  notice: null,
  connection: { state: "connecting", message: "", queuedOverrides: 0, canOverride: false },
  author: "",
  blindFirst: false,
  trajectory: null,
  marks: [],
  bodies: new Map(),
  queued: [],
  fates: [],
  selected: null,
  drafts: new Map(),
  open: new Set(),
  lit: null,
  uncovered: new Set(),
  unseen: 0,
  isAtEnd: false,
  isHelpOpen: false,
  isProblemOpen: false,
  wish: null,
};

const emptyDraft: Draft = { value: null, rationale: "", preview: null, isSaving: false, error: null, conflict: null };

/** The state after a message. Nothing outside the two arguments is read, and nothing is changed in place. */
export function reduce(state: State, message: Message): State {
  switch (message.type) {
    case "loading":
      return { ...state, phase: "loading", error: null };
    case "failed":
      return { ...state, phase: "failed", error: message.error };
    case "loaded":
      return loaded(state, message.snapshot, message.selected);
    case "notice":
      return { ...state, notice: message.text };
    case "connection":
      return { ...state, connection: message.connection };
    case "events":
      return message.events.reduce(afterEvent, state);
    case "marks":
      return withMarks(state, message.marks, message.isLive);
    case "bodies":
      return withBodies(state, message.items);
    case "evict":
      return evicted(state, message.from, message.to);
    case "queue":
      return { ...state, queued: message.queued };
    case "fates":
      return { ...state, fates: message.fates };
    case "fate":
      return {
        ...state,
        fates: [...state.fates.filter((fate) => fate.scoreId !== message.fate.scoreId), message.fate],
      };
    case "select":
      return selected(state, message.index, message.isWished, message.takesFocus ?? false);
    case "reveal": {
      const index = state.marks.findIndex((mark) => mark.actionId === message.actionId);
      return index < 0 ? state : selected(state, index, true, false);
    }
    case "atEnd":
      if (state.isAtEnd === message.isAtEnd && (!message.isAtEnd || state.unseen === 0)) return state;
      return { ...state, isAtEnd: message.isAtEnd, unseen: message.isAtEnd ? 0 : state.unseen };
    case "toggle":
      return { ...state, open: toggled(state.open, message.key) };
    case "light":
      return { ...state, lit: message.lit };
    case "help":
      return { ...state, isHelpOpen: message.isOpen };
    case "problem":
      return { ...state, isProblemOpen: !state.isProblemOpen };
    case "draft":
      return withDraft(state, message.actionId, message.change);
    case "draftEnded": {
      const drafts = new Map(state.drafts);
      drafts.delete(message.actionId);
      const uncovered = message.isCommitted ? new Set(state.uncovered).add(message.actionId) : state.uncovered;
      return { ...state, drafts, uncovered };
    }
    case "scored":
      return withScore(state, message.score);
  }
}

function loaded(state: State, snapshot: Snapshot, kept: number | null): State {
  const isSame = snapshot.trajectory !== null && snapshot.trajectory.id === state.trajectory?.id;
  const { reveal, ...facts } = snapshot;
  const revealed = reveal === null ? -1 : snapshot.marks.findIndex((mark) => mark.actionId === reveal);
  const base: State = isSame ? state : { ...initialState, isHelpOpen: state.isHelpOpen };
  const wanted = revealed >= 0 ? revealed : isSame ? state.selected : kept;
  const last = snapshot.marks.length - 1;
  const index = wanted === null || last < 0 ? null : Math.min(wanted, last);
  return {
    ...base,
    ...facts,
    phase: snapshot.trajectory === null ? "none" : "ready",
    error: null,
    // What was cut while nobody listened may have changed: bodies are asked for again.
    bodies: new Map(),
    selected: index,
    wish:
      index !== null && (revealed >= 0 || !isSame)
        ? { index, serial: (state.wish?.serial ?? 0) + 1, takesFocus: false }
        : state.wish,
  };
}

function afterEvent(state: State, event: Event): State {
  switch (event.kind) {
    case "trajectory/changed":
      return event.data.id === state.trajectory?.id ? { ...state, trajectory: event.data } : state;
    case "score/added":
      return event.data.trajectoryId === state.trajectory?.id ? withScore(state, event.data) : state;
    default:
      return state;
  }
}

function withMarks(state: State, marks: readonly ActionMark[], isLive: boolean): State {
  const next = state.marks.slice();
  for (const mark of marks) if (mark.index <= next.length) next[mark.index] = mark;
  const added = next.length - state.marks.length;
  return { ...state, marks: next, unseen: isLive ? state.unseen + added : state.unseen };
}

function withBodies(state: State, items: readonly ActionView[]): State {
  const bodies = new Map(state.bodies);
  const changed: ActionMark[] = [];
  for (const item of items) {
    const { index, id } = item.action;
    bodies.set(index, item);
    const mark = state.marks[index];
    const values = markValues(item.scores);
    if (mark?.actionId === id && (mark.coach !== values.coach || mark.override !== values.override)) {
      changed.push({ ...mark, ...values });
    }
  }
  // The same marks stay the same list: ten thousand of them are not drawn again for nothing.
  if (changed.length === 0) return { ...state, bodies };
  const marks = state.marks.slice();
  for (const mark of changed) marks[mark.index] = mark;
  return { ...state, bodies, marks };
}

function evicted(state: State, from: number, to: number): State {
  const kept = [...state.bodies].filter(([index]) => (index >= from && index <= to) || index === state.selected);
  return kept.length === state.bodies.size ? state : { ...state, bodies: new Map(kept) };
}

function selected(state: State, wanted: number, isWished: boolean, takesFocus: boolean): State {
  if (state.marks.length === 0) return state;
  const index = Math.max(0, Math.min(wanted, state.marks.length - 1));
  const wish = isWished ? { index, serial: (state.wish?.serial ?? 0) + 1, takesFocus } : state.wish;
  return { ...state, selected: index, wish, lit: index === state.selected ? state.lit : null };
}

function withDraft(state: State, actionId: string, change: Partial<Draft>): State {
  const before = state.drafts.get(actionId) ?? emptyDraft;
  const after = { ...before, ...change };
  // A preview belongs to one value.
  const preview = after.preview !== null && after.preview.value === after.value ? after.preview : null;
  return { ...state, drafts: new Map(state.drafts).set(actionId, { ...after, preview }) };
}

function withScore(state: State, score: Score): State {
  const index = state.marks.findIndex((mark) => mark.actionId === score.actionId);
  const mark = state.marks[index];
  if (mark === undefined) return state;
  const body = state.bodies.get(index);
  if (body?.scores.some((known) => known.id === score.id)) return state;
  const marks = state.marks.slice();
  if (body === undefined) {
    marks[index] = { ...mark, ...guessedValues(mark, score) };
    return { ...state, marks };
  }
  const scores = [...body.scores, score];
  marks[index] = { ...mark, ...markValues(scores) };
  return { ...state, marks, bodies: new Map(state.bodies).set(index, { ...body, scores }) };
}

/** The two values of a mark from all score records of its action. */
function markValues(scores: readonly Score[]): Pick<ActionMark, "coach" | "override"> {
  const { coach, override } = effectiveScore(scores);
  return { coach: coach?.value ?? null, override: override?.value ?? null };
}

/** The same from one new record where the others are not here; the body, once loaded, puts it right. */
function guessedValues(mark: ActionMark, score: Score): Pick<ActionMark, "coach" | "override"> {
  if (score.kind === "override") return { coach: mark.coach, override: score.value };
  if (score.kind === "undo") return { coach: mark.coach, override: null };
  return { coach: score.value ?? mark.coach, override: mark.override };
}

function toggled(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}

/** Whether the coach's score of an action is covered: blind-first review, and the person has not committed theirs. */
export function isCovered(state: State, mark: ActionMark): boolean {
  return state.blindFirst && mark.override === null && !state.uncovered.has(mark.actionId);
}
