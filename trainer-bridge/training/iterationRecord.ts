// The stored record of the iteration that runs: each transition is on disk before what follows it; progress is thinned out.
import type { Iteration, IterationState } from "../../src/protocol/model.ts";
import type { Store } from "../store/store.ts";

/** The record, read and changed in one place. */
export interface IterationRecord {
  readonly value: Iteration;
  /** Stores a change at once. */
  change(patch: Partial<Iteration>): void;
  /** Stores the next state; progress starts from nothing. */
  enter(state: IterationState, patch?: Partial<Iteration>): void;
  /** Announces progress, at most a few times a second. */
  progress(done: number, total: number): void;
  /** Stores progress that waits, and the time spent. */
  flush(): void;
}

const PROGRESS_EVERY_MS = 200;

/** Opens the record of a stored iteration. */
export function openRecord(store: Store, iterationId: string, now: () => number = Date.now): IterationRecord {
  let value = store.iteration(iterationId);
  let since = now();
  let announcedAt = 0;
  let isWaiting = false;

  function put(patch: Partial<Iteration>): void {
    const spent = now() - since;
    since = now();
    const timings = { ...value.timings, [value.state]: (value.timings[value.state] ?? 0) + spent };
    const next = { ...value, ...patch, timings, updatedAt: new Date(now()).toISOString() };
    store.putIteration(next);
    value = next;
    isWaiting = false;
  }

  return {
    get value() {
      return value;
    },
    change: put,
    enter: (state, patch) => put({ ...patch, state, progress: { done: 0, total: 0 } }),
    progress(done, total) {
      value = { ...value, progress: { done, total } };
      isWaiting = true;
      if (now() - announcedAt < PROGRESS_EVERY_MS) return;
      announcedAt = now();
      put({});
    },
    flush() {
      if (isWaiting) put({});
    },
  };
}
