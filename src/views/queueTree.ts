// The Review Queue tree: the trajectories where a person's look is worth most, first.
import * as vscode from "vscode";
import type { Library } from "../library.ts";
import type { Trajectory } from "../protocol/model.ts";
import { type ReviewReason, reviewOrder, unscoredCount } from "../reviewOrder.ts";
import { scoreText } from "./moments.ts";
import { trajectoryItem } from "./trajectoryItem.ts";

type Row = ReturnType<typeof reviewOrder>[number];

const POOL_PAGES = 3;
const MOST_ROWS = 200;
const MOST_SEEN = 2000;

/** Data of the queue, over the newest trajectories of all runs. */
export class QueueTree implements vscode.TreeDataProvider<Row> {
  private readonly library: Library;
  private readonly memory: vscode.Memento;
  private readonly canRead: () => boolean;
  private readonly isReviewing: () => boolean;
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private seen: Set<string>;
  private rows: Row[] = [];
  private timer: NodeJS.Timeout | null = null;
  /** The view that shows it, for its badge. */
  view: vscode.TreeView<Row> | null = null;

  constructor(library: Library, memory: vscode.Memento, canRead: () => boolean, isReviewing: () => boolean) {
    this.library = library;
    this.memory = memory;
    this.canRead = canRead;
    this.isReviewing = isReviewing;
    this.seen = new Set(memory.get<string[]>("queue.seen") ?? []);
    library.onChange(({ all }) => {
      if (all && this.timer === null) this.changed.fire(undefined);
      this.timer ??= setTimeout(() => {
        this.timer = null;
        this.changed.fire(undefined);
      }, 1000);
    });
  }

  refresh(): void {
    this.changed.fire(undefined);
  }

  /** Moves a trajectory that the person has opened behind those they have not. */
  markSeen(trajectoryId: string): void {
    if (this.seen.has(trajectoryId)) return;
    this.seen = new Set([...[...this.seen].slice(-MOST_SEEN), trajectoryId]);
    void this.memory.update("queue.seen", [...this.seen]);
    this.changed.fire(undefined);
  }

  /** The best trajectory that the person has not opened, other than the one given. */
  async next(after: string | null): Promise<string | null> {
    const rows = await this.read();
    return rows.find(({ trajectory, isSeen }) => !isSeen && trajectory.id !== after)?.trajectory.id ?? null;
  }

  async getChildren(row?: Row): Promise<Row[]> {
    if (row !== undefined || !this.canRead()) return [];
    this.rows = await this.read();
    // A number on the icon asks for something: only while training waits for the person.
    const unseen = this.isReviewing() ? this.rows.filter(({ isSeen }) => !isSeen).length : 0;
    if (this.view !== null)
      this.view.badge =
        unseen === 0 ? undefined : { value: unseen, tooltip: vscode.l10n.t("{0} trajectories to review", unseen) };
    return this.rows.slice(0, MOST_ROWS);
  }

  getTreeItem({ trajectory, reasons, isSeen }: Row): vscode.TreeItem {
    const item = trajectoryItem(trajectory, [
      ...reasons.map((reason) => reasonText(reason, trajectory)),
      ...(isSeen ? [vscode.l10n.t("opened")] : []),
    ]);
    item.id = `queue ${trajectory.id}`;
    return item;
  }

  private async read(): Promise<Row[]> {
    let pool = await this.library.trajectories({});
    for (let page = 1; page < POOL_PAGES && pool.next !== null && pool.items.length < 100 * POOL_PAGES; page += 1)
      pool = await this.library.trajectories({}, true);
    return reviewOrder(pool.items, newestIterations(pool.items), (id) => this.seen.has(id));
  }
}

/** The iteration of the newest trajectory of each run. */
function newestIterations(trajectories: readonly Trajectory[]): Set<string> {
  const byRun = new Map<string, Trajectory>();
  for (const trajectory of trajectories) {
    const known = byRun.get(trajectory.runId);
    if (trajectory.iterationId !== null && (known === undefined || trajectory.startedAt > known.startedAt))
      byRun.set(trajectory.runId, trajectory);
  }
  return new Set([...byRun.values()].map(({ iterationId }) => iterationId).filter((id) => id !== null));
}

function reasonText(reason: ReviewReason, trajectory: Trajectory): string {
  const { meanScore, minScore } = trajectory;
  switch (reason) {
    case "failed":
      return vscode.l10n.t("rollout failed");
    case "missingScores":
      return vscode.l10n.t("{0} unscored", unscoredCount(trajectory));
    case "coachAtOdds":
      return vscode.l10n.t("coach gave {0}", scoreText(meanScore));
    case "lowScore":
      return vscode.l10n.t("lowest {0}", scoreText(minScore));
  }
}
