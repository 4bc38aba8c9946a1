// Sends a client the events after a seq, read from the store as the client takes them: nothing piles up here.
import type { Event } from "../../src/protocol/model.ts";
import type { Store } from "../store/store.ts";
import { fitEvent, fittingCount } from "./fit.ts";
import type { Limits } from "./limits.ts";

/** Events read from the store at once: at first, and at most. Long events shorten the next read, short ones lengthen it. */
const FIRST_READ = 64;
const LONGEST_READ = 500;

/** One client's stream of events. */
export interface Subscription {
  dispose(): void;
}

/** Starts sending: past events first, then live ones at most every `limits.pushMs`. `send` resolves when the batch has left this machine. */
export function openSubscription(options: {
  store: Pick<Store, "eventsAfter" | "onEvent" | "lastSeq" | "firstSeq">;
  afterSeq: number;
  limits: Pick<Limits, "pushMs" | "backlogEvents" | "stalledMs">;
  send(events: Event[]): Promise<void>;
  /** Events were dropped for this client; the subscription has ended. */
  onResync(message: string): void;
  onError(error: unknown): void;
}): Subscription {
  const { store, limits, send } = options;
  let cursor = options.afterSeq;
  let readLimit = FIRST_READ;
  let isSending = false;
  let isDisposed = false;
  let lastPush = 0;
  let timer: NodeJS.Timeout | null = null;

  const listener = store.onEvent(() => schedule(lastPush + limits.pushMs - performance.now()));
  schedule(0);
  return { dispose };

  function schedule(waitMs: number): void {
    if (isDisposed || isSending || timer !== null) return;
    timer = setTimeout(
      () => {
        timer = null;
        void push().catch((error: unknown) => {
          dispose();
          options.onError(error);
        });
      },
      Math.max(0, waitMs),
    );
  }

  async function push(): Promise<void> {
    const read = store.eventsAfter(cursor, readLimit);
    const first = read[0];
    if (first === undefined) return;
    if (first.seq !== cursor + 1) {
      return resync(`Events ${cursor + 1} to ${first.seq - 1} are no longer kept.`);
    }
    const fitted = read.map(fitEvent);
    const events = fitted.slice(0, fittingCount(fitted));
    const isMore = read.length === readLimit || events.length < read.length;
    readLimit =
      events.length < read.length ? events.length * 2 : Math.min(LONGEST_READ, Math.max(readLimit, read.length * 2));
    const lastOfBatch = events.at(-1)?.seq ?? cursor;
    const before = store.lastSeq();
    const stalled = setInterval(() => {
      if (store.lastSeq() - before > limits.backlogEvents) {
        resync(`This client did not take its events while ${store.lastSeq() - before} more happened.`);
      }
    }, limits.stalledMs);
    isSending = true;
    try {
      lastPush = performance.now();
      await send(events);
      cursor = lastOfBatch;
    } finally {
      isSending = false;
      clearInterval(stalled);
    }
    if (store.lastSeq() > cursor) schedule(isMore ? 0 : limits.pushMs);
  }

  function resync(message: string): void {
    if (isDisposed) return;
    dispose();
    options.onResync(
      `${message} Nothing is lost at the bridge: subscribe again from the last seq you have, or take a snapshot.`,
    );
  }

  function dispose(): void {
    isDisposed = true;
    listener.dispose();
    if (timer !== null) clearTimeout(timer);
    timer = null;
  }
}
