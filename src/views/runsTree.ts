// The Runs tree: run → iteration → trajectory, one request a page and none a row.
import * as vscode from "vscode";
import type { Library, LibraryChange, Pages, TrajectoryFilter } from "../library.ts";
import type { Iteration, Run, Trajectory } from "../protocol/model.ts";
import { LOW_SCORE } from "../reviewOrder.ts";
import { percent, scoreText, stateText } from "./moments.ts";
import { scoreDetails, trajectoryItem } from "./trajectoryItem.ts";

/** A row of the tree. Groups and iterations hold a list of trajectories; `more` reads the next page of its list. */
export type RunsNode =
  | { readonly kind: "run"; readonly run: Run }
  | { readonly kind: "iteration"; readonly iteration: Iteration }
  | {
      readonly kind: "group";
      readonly title: string;
      readonly icon: string;
      readonly filter: TrajectoryFilter;
      readonly parent: RunsNode;
    }
  | { readonly kind: "trajectory"; readonly trajectory: Trajectory; readonly parent: RunsNode }
  | { readonly kind: "more"; readonly parent: RunsNode | undefined; readonly read: () => Promise<unknown> }
  | { readonly kind: "note"; readonly text: string; readonly parent: RunsNode };

/** Which trajectories the tree shows. */
export type RunsFilter = "all" | "failed" | "lowScore";

/** Data of the tree; what it shows is the library's. */
export class RunsTree implements vscode.TreeDataProvider<RunsNode> {
  private readonly library: Library;
  private readonly canRead: () => boolean;
  private readonly changed = new vscode.EventEmitter<RunsNode | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  filter: RunsFilter = "all";
  /** Trajectories in the order of the list last opened, for previous and next. */
  private order: readonly string[] = [];
  private readonly parents = new Map<string, RunsNode>();
  private timer: NodeJS.Timeout | null = null;

  constructor(library: Library, canRead: () => boolean) {
    this.library = library;
    this.canRead = canRead;
    library.onChange((change) => this.refreshSoon(change));
  }

  setFilter(filter: RunsFilter): void {
    this.filter = filter;
    this.changed.fire(undefined);
  }

  async more(node: Extract<RunsNode, { kind: "more" }>): Promise<void> {
    await node.read();
    this.changed.fire(undefined);
  }

  refresh(): void {
    this.changed.fire(undefined);
  }

  /** The trajectory before or after one in its list. */
  neighbour(trajectoryId: string, direction: "previous" | "next"): string | null {
    const parent = this.parents.get(trajectoryId);
    const siblings =
      parent === undefined ? this.order : [...this.parents].filter(([, node]) => node === parent).map(([id]) => id);
    const at = siblings.indexOf(trajectoryId);
    return at < 0 ? null : (siblings[at + (direction === "next" ? 1 : -1)] ?? null);
  }

  /** The node of an iteration, so that it can be revealed. */
  async iterationNode(iterationId: string): Promise<RunsNode | undefined> {
    for (const run of (await this.library.runs()).items) {
      const found = (await this.library.iterations(run.id)).items.find((iteration) => iteration.id === iterationId);
      if (found) return { kind: "iteration", iteration: found };
    }
    return undefined;
  }

  getParent(node: RunsNode): RunsNode | undefined {
    if (node.kind === "run") return undefined;
    if (node.kind !== "iteration") return node.parent;
    const run = this.library.knownRun(node.iteration.runId);
    return run === undefined ? undefined : { kind: "run", run };
  }

  async getChildren(node?: RunsNode): Promise<RunsNode[]> {
    if (!this.canRead()) return [];
    if (node === undefined) {
      const runs = await this.library.runs();
      return [
        ...runs.items.map((run): RunsNode => ({ kind: "run", run })),
        ...moreOf(runs, undefined, () => this.library.runs(true)),
      ];
    }
    if (node.kind === "run") return this.ofRun(node);
    if (node.kind === "iteration") {
      const { id, runId } = node.iteration;
      const evaluation: RunsNode = {
        kind: "group",
        title: vscode.l10n.t("Held-out evaluation"),
        icon: "beaker",
        filter: { runId, iterationId: id, purpose: "evaluation" },
        parent: node,
      };
      return [
        ...(node.iteration.config.evaluationTaskCount > 0 ? [evaluation] : []),
        ...(await this.listed({ runId, iterationId: id, purpose: "train" }, node)),
      ];
    }
    if (node.kind === "group") return this.listed(node.filter, node);
    return [];
  }

  private async ofRun(node: Extract<RunsNode, { kind: "run" }>): Promise<RunsNode[]> {
    const runId = node.run.id;
    if (node.run.kind === "import") return this.listed({ runId }, node);
    const iterations = await this.library.iterations(runId);
    const rollouts: RunsNode = {
      kind: "group",
      title: vscode.l10n.t("Rollouts"),
      icon: "list-unordered",
      filter: { runId, purpose: "rollout" },
      parent: node,
    };
    return [
      ...iterations.items
        .toSorted((a, b) => b.index - a.index)
        .map((iteration): RunsNode => ({ kind: "iteration", iteration })),
      ...moreOf(iterations, node, () => this.library.iterations(runId, true)),
      rollouts,
    ];
  }

  private async listed(filter: TrajectoryFilter, parent: RunsNode): Promise<RunsNode[]> {
    const asked = this.filter === "failed" ? { ...filter, success: false } : filter;
    const pages = await this.library.trajectories(asked);
    const items =
      this.filter === "lowScore"
        ? pages.items.filter(({ minScore }) => minScore !== null && minScore <= LOW_SCORE)
        : pages.items;
    this.order = items.map(({ id }) => id);
    for (const { id } of items) this.parents.delete(id);
    for (const { id } of items) this.parents.set(id, parent);
    const rows = items.map((trajectory): RunsNode => ({ kind: "trajectory", trajectory, parent }));
    const more = moreOf(pages, parent, () => this.library.trajectories(asked, true));
    if (rows.length > 0 || more.length > 0) return [...rows, ...more];
    return [
      {
        kind: "note",
        text: this.filter === "all" ? vscode.l10n.t("No trajectories yet") : vscode.l10n.t("None match the filter"),
        parent,
      },
    ];
  }

  getTreeItem(node: RunsNode): vscode.TreeItem {
    const { Collapsed, None } = vscode.TreeItemCollapsibleState;
    switch (node.kind) {
      case "run":
        return runItem(node.run);
      case "iteration":
        return iterationItem(node.iteration);
      case "group": {
        const item = new vscode.TreeItem(node.title, Collapsed);
        item.id = `group ${JSON.stringify(node.filter)}`;
        item.iconPath = new vscode.ThemeIcon(node.icon);
        return item;
      }
      case "trajectory": {
        const item = trajectoryItem(node.trajectory, scoreDetails(node.trajectory));
        item.id = `trajectory ${node.trajectory.id} in ${idOf(node.parent)}`;
        return item;
      }
      case "more": {
        const item = new vscode.TreeItem(vscode.l10n.t("Load more"), None);
        item.iconPath = new vscode.ThemeIcon("ellipsis");
        item.command = { command: "touchline.loadMore", title: vscode.l10n.t("Load more"), arguments: [node] };
        return item;
      }
      case "note": {
        const item = new vscode.TreeItem("", None);
        item.description = node.text;
        return item;
      }
    }
  }

  /** Live changes redraw the tree at most three times a second. */
  private refreshSoon({ all }: LibraryChange): void {
    if (all && this.timer === null) this.changed.fire(undefined);
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.changed.fire(undefined);
    }, 350);
  }
}

function idOf(node: RunsNode): string {
  if (node.kind === "run") return node.run.id;
  if (node.kind === "iteration") return node.iteration.id;
  return node.kind === "group" ? JSON.stringify(node.filter) : "";
}

function moreOf<T>(pages: Pages<T>, parent: RunsNode | undefined, read: () => Promise<unknown>): RunsNode[] {
  return pages.next === null ? [] : [{ kind: "more", parent, read }];
}

function runItem(run: Run): vscode.TreeItem {
  const item = new vscode.TreeItem(run.name, vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `run ${run.id}`;
  item.iconPath = new vscode.ThemeIcon(run.kind === "import" ? "file-symlink-file" : "organization");
  item.description =
    run.kind === "import" ? vscode.l10n.t("imported · {0}", run.trajectoryCount) : String(run.trajectoryCount);
  item.tooltip = vscode.l10n.t(
    "{0}. Trajectories: {1}. Actions: {2}. Agents: {3}.",
    run.name,
    run.trajectoryCount,
    run.actionCount,
    run.agents.join(", "),
  );
  item.contextValue = `run.${run.kind}`;
  return item;
}

const ICONS: Record<Iteration["state"], string> = {
  queued: "clock",
  sampling: "sync~spin",
  coaching: "sync~spin",
  reviewing: "eye",
  training: "sync~spin",
  evaluating: "sync~spin",
  done: "pass",
  paused: "debug-pause",
  cancelled: "circle-slash",
  failed: "error",
};

function iterationItem(iteration: Iteration): vscode.TreeItem {
  const { index, state, progress, batch, evaluationAfter, message } = iteration;
  const item = new vscode.TreeItem(vscode.l10n.t("Iteration {0}", index), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `iteration ${iteration.id}`;
  item.iconPath = new vscode.ThemeIcon(ICONS[state]);
  const isMoving = ["sampling", "coaching", "training", "evaluating"].includes(state);
  item.description =
    state === "done"
      ? vscode.l10n.t("success {0}, held out {1}", percent(batch?.rate), percent(evaluationAfter?.rate))
      : isMoving && progress.total > 0
        ? `${stateText(state)} ${progress.done}/${progress.total}`
        : stateText(state);
  const rewards = iteration.agents.map(
    ({ agent, meanReward }) => `${agent} ${scoreText(meanReward === null ? null : meanReward * 10)}`,
  );
  item.tooltip = [`${item.label}: ${stateText(state)}`, ...(message === null ? [] : [message]), ...rewards].join("\n");
  item.contextValue = `iteration.${state}`;
  return item;
}
