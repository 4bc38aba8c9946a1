// The Policies tree: agent → checkpoints of the current run, newest first.
import * as vscode from "vscode";
import type { Library } from "../library.ts";
import type { Checkpoint, Run } from "../protocol/model.ts";
import { agentTitle } from "../protocol/title.ts";
import { momentText } from "./moments.ts";

type PolicyNode =
  | { readonly kind: "agent"; readonly run: Run; readonly agent: string; readonly checkpoints: readonly Checkpoint[] }
  | { readonly kind: "checkpoint"; readonly checkpoint: Checkpoint };

/** Data of the tree; the run is the one the person works with. */
export class PoliciesTree implements vscode.TreeDataProvider<PolicyNode> {
  private readonly library: Library;
  private readonly currentRun: () => Promise<Run | undefined>;
  private readonly canRead: () => boolean;
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private timer: NodeJS.Timeout | null = null;

  constructor(library: Library, currentRun: () => Promise<Run | undefined>, canRead: () => boolean) {
    this.library = library;
    this.currentRun = currentRun;
    this.canRead = canRead;
    library.onChange(() => {
      this.timer ??= setTimeout(() => {
        this.timer = null;
        this.changed.fire(undefined);
      }, 1000);
    });
  }

  refresh(): void {
    this.changed.fire(undefined);
  }

  async getChildren(node?: PolicyNode): Promise<PolicyNode[]> {
    if (!this.canRead() || node?.kind === "checkpoint") return [];
    if (node !== undefined) return node.checkpoints.map((checkpoint) => ({ kind: "checkpoint", checkpoint }));
    const run = await this.currentRun();
    if (run === undefined) return [];
    const byAgent = Map.groupBy(await this.library.checkpoints(run.id), ({ agent }) => agent);
    return [...byAgent].map(([agent, checkpoints]) => ({
      kind: "agent",
      run,
      agent,
      checkpoints: checkpoints.toSorted((a, b) => b.version - a.version),
    }));
  }

  getTreeItem(node: PolicyNode): vscode.TreeItem {
    if (node.kind === "agent") {
      const item = new vscode.TreeItem(agentTitle(node.agent), vscode.TreeItemCollapsibleState.Collapsed);
      item.id = `agent ${node.run.id} ${node.agent}`;
      item.iconPath = new vscode.ThemeIcon("person");
      item.description = node.checkpoints[0]?.policyVersion ?? "";
      item.tooltip = vscode.l10n.t("{0} of {1}: {2} checkpoints", node.agent, node.run.name, node.checkpoints.length);
      return item;
    }
    const { checkpoint } = node;
    const item = new vscode.TreeItem(checkpoint.policyVersion);
    item.id = `checkpoint ${checkpoint.id}`;
    item.iconPath = new vscode.ThemeIcon("archive");
    item.description = momentText(checkpoint.at);
    item.tooltip = `${checkpoint.policyVersion}\nsha256 ${checkpoint.sha256}`;
    item.contextValue = "checkpoint";
    return item;
  }
}
