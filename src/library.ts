// What the trees show of the store: lists read page by page, kept fresh by events, thrown away on a snapshot.
import type { Ending } from "./listeners.ts";
import { Listeners } from "./listeners.ts";
import type { Checkpoint, Event, Iteration, Run, Trajectory } from "./protocol/model.ts";
import type { TrainerLink } from "./trainerLink.ts";

/** A list read so far; `next` is the cursor of its next page, null at its end. */
export interface Pages<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** Which trajectories a list holds. */
export interface TrajectoryFilter {
  readonly runId?: string;
  readonly iterationId?: string;
  readonly purpose?: Trajectory["purpose"];
  readonly success?: boolean;
  readonly outcome?: Trajectory["outcome"]["kind"];
}

/** What changed: all of it, the runs, or what belongs to the named runs. */
export interface LibraryChange {
  readonly all: boolean;
  readonly runIds: ReadonlySet<string>;
}

const PAGE = 100;
/** A list that grew longer by live events alone is read anew from its first page. */
const LONGEST_LIST = 2000;

/** The host's cache of lists; every list is one request a page, never one a row. */
export class Library {
  private readonly link: Pick<TrainerLink, "request">;
  private runPages: Pages<Run> | null = null;
  private readonly iterationPages = new Map<string, Pages<Iteration>>();
  private readonly trajectoryPages = new Map<string, { filter: TrajectoryFilter; pages: Pages<Trajectory> }>();
  private readonly checkpointLists = new Map<string, readonly Checkpoint[]>();
  private readonly changed: Listeners<LibraryChange>;

  constructor(link: Pick<TrainerLink, "request">, onError: (error: unknown) => void) {
    this.link = link;
    this.changed = new Listeners(onError);
  }

  readonly onChange = (listener: (change: LibraryChange) => void): Ending => this.changed.add(listener);

  /** Forgets everything that was read. */
  clear(): void {
    this.runPages = null;
    this.iterationPages.clear();
    this.trajectoryPages.clear();
    this.checkpointLists.clear();
    this.changed.tell({ all: true, runIds: new Set() });
  }

  async runs(more = false): Promise<Pages<Run>> {
    this.runPages = await extended(this.runPages, more, (cursor) =>
      this.link.request("run/list", { cursor, limit: PAGE }),
    );
    return this.runPages;
  }

  async iterations(runId: string, more = false): Promise<Pages<Iteration>> {
    const pages = await extended(this.iterationPages.get(runId) ?? null, more, (cursor) =>
      this.link.request("iteration/list", { runId, cursor, limit: PAGE }),
    );
    this.iterationPages.set(runId, pages);
    return pages;
  }

  async trajectories(filter: TrajectoryFilter, more = false): Promise<Pages<Trajectory>> {
    const key = JSON.stringify(filter);
    const pages = await extended(this.trajectoryPages.get(key)?.pages ?? null, more, (cursor) =>
      this.link.request("trajectory/list", { ...filter, cursor, limit: PAGE }),
    );
    this.trajectoryPages.set(key, { filter, pages });
    return pages;
  }

  async checkpoints(runId: string): Promise<readonly Checkpoint[]> {
    const known = this.checkpointLists.get(runId);
    if (known !== undefined) return known;
    const { checkpoints } = await this.link.request("checkpoint/list", { runId });
    this.checkpointLists.set(runId, checkpoints);
    return checkpoints;
  }

  /** What is known of a run without asking. */
  knownRun(runId: string): Run | undefined {
    return this.runPages?.items.find((run) => run.id === runId);
  }

  /** Brings what was read up to date; lists that were never read stay unread. */
  apply(events: readonly Event[]): void {
    const runIds = new Set<string>();
    let all = false;
    for (const event of events) {
      switch (event.kind) {
        case "run/changed":
          all ||= this.knownRun(event.data.id) === undefined;
          if (this.runPages) this.runPages = withItem(this.runPages, event.data);
          runIds.add(event.data.id);
          break;
        case "iteration/changed": {
          const pages = this.iterationPages.get(event.data.runId);
          if (pages) this.iterationPages.set(event.data.runId, withItem(pages, event.data));
          runIds.add(event.data.runId);
          break;
        }
        case "trajectory/changed":
          this.applyTrajectory(event.data);
          runIds.add(event.data.runId);
          break;
        case "checkpoint/published": {
          const list = this.checkpointLists.get(event.data.runId);
          if (list)
            this.checkpointLists.set(event.data.runId, [...list.filter((one) => one.id !== event.data.id), event.data]);
          runIds.add(event.data.runId);
          break;
        }
      }
    }
    if (all || runIds.size > 0) this.changed.tell({ all, runIds });
  }

  private applyTrajectory(trajectory: Trajectory): void {
    for (const [key, { filter, pages }] of this.trajectoryPages) {
      const without = { items: pages.items.filter((one) => one.id !== trajectory.id), next: pages.next };
      const belongs = isIn(filter, trajectory);
      if (!belongs && without.items.length === pages.items.length) continue;
      const updated = belongs ? withItem(pages, trajectory) : without;
      if (updated.items.length > LONGEST_LIST && updated.items.length > pages.items.length)
        this.trajectoryPages.delete(key);
      else this.trajectoryPages.set(key, { filter, pages: updated });
    }
  }
}

/** Whether a trajectory belongs to a filtered list, by the rules of `trajectory/list`. */
export function isIn(filter: TrajectoryFilter, trajectory: Trajectory): boolean {
  const isSuccess = trajectory.outcome.reward !== null && trajectory.outcome.reward >= 0.5;
  return (
    (filter.runId === undefined || filter.runId === trajectory.runId) &&
    (filter.iterationId === undefined || filter.iterationId === trajectory.iterationId) &&
    (filter.purpose === undefined || filter.purpose === trajectory.purpose) &&
    (filter.outcome === undefined || filter.outcome === trajectory.outcome.kind) &&
    (filter.success === undefined || (trajectory.outcome.kind !== "running" && filter.success === isSuccess))
  );
}

function withItem<T extends { readonly id: string }>(pages: Pages<T>, item: T): Pages<T> {
  const at = pages.items.findIndex((one) => one.id === item.id);
  // Lists are newest first, and what is not known yet is new.
  if (at < 0) return { items: [item, ...pages.items], next: pages.next };
  return { items: pages.items.with(at, item), next: pages.next };
}

async function extended<T extends { readonly id: string }>(
  known: Pages<T> | null,
  more: boolean,
  read: (cursor: string | null) => Promise<{ items: T[]; next: string | null }>,
): Promise<Pages<T>> {
  if (known !== null && (!more || known.next === null)) return known;
  const page = await read(known?.next ?? null);
  const seen = new Set(known?.items.map((item) => item.id));
  return { items: [...(known?.items ?? []), ...page.items.filter((item) => !seen.has(item.id))], next: page.next };
}
