// Every change of the truth, numbered without gaps, written with the change and announced after the commit.
import type { Event } from "../../src/protocol/model.ts";
import type { Database } from "./database.ts";

type Unnumbered<E> = E extends Event ? Omit<E, "seq" | "at"> : never;

/** A change to be recorded: an event without its number and time. */
export type Change = Unnumbered<Event>;

/** The numbered history and its listeners. */
export interface Events {
  /** Runs `work` and the events it records in one transaction, then tells the listeners. */
  change<T>(work: (record: (change: Change) => void) => T): T;
  firstSeq(): number;
  lastSeq(): number;
  after(seq: number, limit: number): Event[];
  onEvent(listener: (event: Event) => void): { dispose(): void };
}

/** The history of a database. The newest `cap` events are kept; `firstSeq` tells where they begin. */
export function openEvents(database: Database, now: () => Date, cap: number): Events {
  const listeners = new Set<(event: Event) => void>();
  const waiting: Event[] = [];
  let isTelling = false;
  let last = 0;
  let first = 1;
  const recall = () => {
    first = Number(database.get<{ value: string }>("SELECT value FROM meta WHERE key = 'firstSeq'")?.value ?? 1);
    last = database.get<{ seq: number | null }>("SELECT max(seq) AS seq FROM event")?.seq ?? first - 1;
  };
  recall();

  const forgetOldest = (written: number) => {
    if (last - first + 1 <= cap) return;
    // Twice what was written, so that a lowered cap is reached in small portions and no acknowledgement waits long.
    first += Math.min(last - first + 1 - cap, written * 2);
    database.run(
      "INSERT INTO meta (key, value) VALUES ('firstSeq', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      String(first),
    );
    database.run("DELETE FROM event WHERE seq < ?", first);
  };

  const tell = () => {
    if (isTelling) return;
    isTelling = true;
    try {
      for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
        for (const listener of [...listeners]) {
          try {
            listener(event);
          } catch (error) {
            // The change is committed and must be acknowledged; the listener's fault surfaces on its own.
            queueMicrotask(() => {
              throw error;
            });
          }
        }
      }
    } finally {
      isTelling = false;
    }
  };

  return {
    change: (work) => {
      const events: Event[] = [];
      const record = (change: Change) => {
        last += 1;
        const event = { ...change, seq: last, at: now().toISOString() } as Event;
        database.run(
          "INSERT INTO event (seq, kind, at, data) VALUES (?, ?, ?, ?)",
          last,
          event.kind,
          event.at,
          JSON.stringify(event.data),
        );
        events.push(event);
      };
      let result: ReturnType<typeof work>;
      try {
        result = database.transaction(() => {
          const value = work(record);
          forgetOldest(events.length);
          return value;
        });
      } catch (error) {
        recall();
        throw error;
      }
      if (listeners.size > 0) waiting.push(...events);
      tell();
      return result;
    },
    firstSeq: () => first,
    lastSeq: () => last,
    after: (seq, limit) =>
      database
        .all<{ seq: number; kind: string; at: string; data: string }>(
          "SELECT seq, kind, at, data FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
          seq,
          limit,
        )
        .map((row) => ({ kind: row.kind, seq: row.seq, at: row.at, data: JSON.parse(row.data) }) as Event),
    onEvent: (listener) => {
      listeners.add(listener);
      return { dispose: () => listeners.delete(listener) };
    },
  };
}
