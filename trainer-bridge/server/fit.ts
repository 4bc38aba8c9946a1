// Keeps every message under the wire's limit: pages end early, and long fields of single records are cut with a mark.
import { MAX_MESSAGE_BYTES } from "../../src/protocol/bridge.ts";
import type { Event, Run, Score, Trajectory } from "../../src/protocol/model.ts";

/** Bytes left for the items of one message, beside its envelope. */
export const PAGE_BUDGET_BYTES = MAX_MESSAGE_BYTES - 8 * 1024;

/** Most bytes of one record in a list; a longer one has its long fields cut. */
const RECORD_BUDGET_BYTES = 96 * 1024;

/** Length of a value in bytes of UTF-8 JSON. */
export function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}

/** How many of the items fit in one message; at least one, so that a page never stands still. */
export function fittingCount(items: readonly unknown[], budget: number = PAGE_BUDGET_BYTES): number {
  let used = 0;
  for (const [index, item] of items.entries()) {
    used += sizeOf(item) + 1;
    if (used > budget && index > 0) return index;
  }
  return items.length;
}

/** A keyed page whose items fit in one message; the store is asked again for a shorter page where they do not. */
export function fittingPage<T>(
  ask: (limit: number) => { items: T[]; next: string | null },
  limit: number,
  fit: (item: T) => T = (item) => item,
): { items: T[]; next: string | null } {
  const page = ask(limit);
  const items = page.items.map(fit);
  const count = fittingCount(items);
  if (count === items.length) return { items, next: page.next };
  const shorter = ask(count);
  return { items: shorter.items.map(fit), next: shorter.next };
}

/** Part of a list without keys: the items from `fromIndex` that fit, and where the next part begins. */
export function fittingPart<T>(items: readonly T[], fromIndex: number): { items: T[]; nextIndex: number | null } {
  const rest = items.slice(fromIndex);
  const part = rest.slice(0, fittingCount(rest));
  const end = fromIndex + part.length;
  return { items: part, nextIndex: end < items.length ? end : null };
}

/** Text of at most `limit` characters; what was cut is said. */
export function clipped(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, safeCut(text, limit))}… [${text.length - limit} more characters]`;
}

/** The nearest end at or before `end` that does not split a surrogate pair. */
export function safeCut(text: string, end: number): number {
  if (end <= 0 || end >= text.length) return Math.max(0, Math.min(end, text.length));
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

/** A trajectory whose problem, answer and labels are short enough to be one of many in a message. */
export function fitTrajectory(trajectory: Trajectory): Trajectory {
  if (sizeOf(trajectory) <= RECORD_BUDGET_BYTES) return trajectory;
  const { task, outcome } = trajectory;
  return {
    ...trajectory,
    title: clipped(trajectory.title, 500),
    task: {
      ...task,
      problem: clipped(task.problem, 8_000),
      answer: task.answer === null ? null : clipped(task.answer, 2_000),
      meta: fitMeta(task.meta),
    },
    outcome: {
      ...outcome,
      answer: outcome.answer === null ? null : clipped(outcome.answer, 2_000),
      message: outcome.message === null ? null : clipped(outcome.message, 2_000),
    },
    meta: fitMeta(trajectory.meta),
  };
}

/** A run whose configuration fits in a message. */
export function fitRun(run: Run): Run {
  return sizeOf(run) <= RECORD_BUDGET_BYTES ? run : { ...run, config: fitMeta(run.config) };
}

/** A score record whose reasons fit in a message. */
export function fitScore(score: Score, limit = 16_000): Score {
  if (sizeOf(score) <= limit * 2) return score;
  return {
    ...score,
    rationale: clipped(score.rationale, limit),
    missingReason: score.missingReason === null ? null : clipped(score.missingReason, 2_000),
    evidence: score.evidence.slice(0, 20).map((evidence) => ({ ...evidence, quote: clipped(evidence.quote, 500) })),
  };
}

/** An event whose record fits in a message; the full record is had by its own request. */
export function fitEvent(event: Event): Event {
  switch (event.kind) {
    case "run/changed":
      return { ...event, data: fitRun(event.data) };
    case "trajectory/changed":
      return { ...event, data: fitTrajectory(event.data) };
    case "score/added":
      return { ...event, data: fitScore(event.data) };
    default:
      return event;
  }
}

type Meta = Trajectory["meta"];

function fitMeta(meta: Meta): Meta {
  const entries: [string, Meta[string]][] = [];
  let left = 24_000;
  for (const [key, value] of Object.entries(meta)) {
    const size = sizeOf(value) + key.length;
    const kept = size <= 4_000 && size <= left ? value : clipped(JSON.stringify(value), Math.min(500, left));
    left -= sizeOf(kept) + key.length;
    if (left < 0) break;
    entries.push([key, kept]);
  }
  return Object.fromEntries(entries);
}
