// Loads the bodies of actions around what is being read, a page at a time, and forgets those far away.
import type { ActionView } from "../../src/protocol/bridge.ts";

/** Actions asked for at once. */
const PAGE = 30;
/** Requests in flight at once; a wish beyond that waits, and only the newest wish is kept. */
const MOST_IN_FLIGHT = 2;
/** Rows kept ready on either side of what is in view. */
const AHEAD = 12;
/** Bodies kept in memory, and how far from the view they may lie once there are more. */
const MOST_BODIES = 240;
const FAR = 90;

/** What a loader needs of the page around it. */
export interface BodiesSource {
  count(): number;
  has(index: number): boolean;
  size(): number;
  ask(fromIndex: number, limit: number): Promise<readonly ActionView[]>;
  arrived(items: readonly ActionView[]): void;
  evict(from: number, to: number): void;
  failed(error: unknown): void;
}

/** Keeps the bodies around the view loaded. */
export class Bodies {
  private readonly source: BodiesSource;
  private readonly asked = new Set<number>();
  private wanted = { from: 0, to: 0 };
  private inFlight = 0;
  private generation = 0;

  constructor(source: BodiesSource) {
    this.source = source;
  }

  /** Forgets what is under way: another trajectory is shown, or the same one from new. */
  restart(): void {
    this.generation++;
    this.asked.clear();
    this.inFlight = 0;
  }

  /** Rows `from`..`to` (inclusive) are in view. */
  want(from: number, to: number): void {
    this.wanted = { from, to };
    if (this.source.size() > MOST_BODIES) this.source.evict(from - FAR, to + FAR);
    this.next();
  }

  private next(): void {
    const { from, to } = this.wanted;
    while (this.inFlight < MOST_IN_FLIGHT) {
      // What is in view first, then what lies after it, then before it.
      const first =
        this.missing(from, to) ?? this.missing(to + 1, to + AHEAD) ?? this.missing(Math.max(0, from - AHEAD), from - 1);
      if (first === null) return;
      void this.load(first);
    }
  }

  private missing(from: number, to: number): number | null {
    const last = Math.min(to, this.source.count() - 1);
    for (let index = Math.max(0, from); index <= last; index++) {
      if (!this.source.has(index) && !this.asked.has(index)) return index;
    }
    return null;
  }

  private async load(first: number): Promise<void> {
    const { generation } = this;
    // Reading upwards, the page ends where the known ones begin.
    const fromIndex = first < this.wanted.from ? Math.max(0, this.wanted.from - PAGE) : first;
    const last = Math.min(this.source.count() - 1, fromIndex + PAGE - 1);
    for (let index = fromIndex; index <= last; index++) this.asked.add(index);
    this.inFlight++;
    try {
      const items = await this.source.ask(fromIndex, last - fromIndex + 1);
      if (generation !== this.generation) return;
      for (let index = fromIndex; index <= last; index++) this.asked.delete(index);
      this.inFlight--;
      if (items.length === 0) return;
      this.source.arrived(items);
      this.next();
    } catch (error) {
      if (generation !== this.generation) return;
      for (let index = fromIndex; index <= last; index++) this.asked.delete(index);
      this.inFlight--;
      this.source.failed(error);
    }
  }
}
