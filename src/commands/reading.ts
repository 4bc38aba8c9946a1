// Commands that open something to read.
import * as vscode from "vscode";
import type { Trajectory } from "../protocol/model.ts";
import { Problem } from "../report.ts";
import type { Touchline } from "../touchline.ts";
import type { RunsFilter } from "../views/runsTree.ts";

/** Shows a trajectory in the side panel; `what` is its id or a row of a tree. */
export async function openTrajectory({ places, queue }: Touchline, what?: unknown, reveal?: unknown): Promise<void> {
  const trajectoryId = required(trajectoryIdIn(what) ?? places.current?.trajectoryId ?? null);
  queue.markSeen(trajectoryId);
  await places.showInSidePanel(trajectoryId, typeof reveal === "string" ? reveal : null);
}

/** Shows a trajectory in an editor tab. */
export async function openTrajectoryInTab(
  { places, queue, link }: Touchline,
  what: unknown,
  column: vscode.ViewColumn,
): Promise<void> {
  const trajectoryId = required(trajectoryIdIn(what) ?? places.current?.trajectoryId ?? null);
  const { title } = await link.request("trajectory/get", { trajectoryId });
  queue.markSeen(trajectoryId);
  await places.showInTab(trajectoryId, title, column);
}

/** Opens the transcript as a read-only document. */
export async function openAsText({ places, documents }: Touchline, what?: unknown): Promise<void> {
  await documents.openTrajectory(required(trajectoryIdIn(what) ?? places.current?.trajectoryId ?? null));
}

/** Shows the trajectory with an action in it, and the action. */
export async function openAction(touchline: Touchline, actionId: string): Promise<void> {
  const { action } = await touchline.link.request("action/get", { actionId });
  await openTrajectory(touchline, action.trajectoryId, action.id);
}

/** Opens the next trajectory of the review queue where the person reads now. */
export async function nextInQueue(touchline: Touchline): Promise<void> {
  const current = touchline.places.current;
  if (current?.trajectoryId != null) touchline.queue.markSeen(current.trajectoryId);
  const next = await touchline.queue.next(current?.trajectoryId ?? null);
  if (next === null) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t("The review queue is empty: every trajectory with a reason to be read has been opened."),
    );
    return;
  }
  touchline.queue.markSeen(next);
  if (current === null) await touchline.places.showInSidePanel(next);
  else current.show(next);
}

/** Shows the trajectories of an iteration in the Runs tree. */
export async function showIteration({ runs, runsView }: Touchline, iterationId: string): Promise<void> {
  const node = await runs.iterationNode(iterationId);
  if (node !== undefined) await runsView.reveal(node, { expand: true, focus: true, select: true });
}

/** Chooses what the Runs tree shows. */
export async function filterRuns({ runs, runsView }: Touchline): Promise<void> {
  const choices: { label: string; filter: RunsFilter }[] = [
    { label: vscode.l10n.t("All trajectories"), filter: "all" },
    { label: vscode.l10n.t("Failed or wrong"), filter: "failed" },
    { label: vscode.l10n.t("Low lowest score"), filter: "lowScore" },
  ];
  const chosen = await vscode.window.showQuickPick(choices, { title: vscode.l10n.t("Filter Runs") });
  if (chosen === undefined) return;
  runs.setFilter(chosen.filter);
  runsView.description = chosen.filter === "all" ? "" : chosen.label;
}

/** Copies the id of the action on which the page's menu was opened. */
export async function copyActionId(what: unknown): Promise<void> {
  const actionId =
    typeof what === "string"
      ? what
      : typeof what === "object" && what !== null && "actionId" in what
        ? what.actionId
        : null;
  if (typeof actionId !== "string") throw new Problem(vscode.l10n.t("Open the menu of an action to copy its id."));
  await vscode.env.clipboard.writeText(actionId);
}

function trajectoryIdIn(what: unknown): string | null {
  if (typeof what === "string") return what;
  if (typeof what !== "object" || what === null || !("trajectory" in what)) return null;
  return (what.trajectory as Trajectory).id;
}

function required(trajectoryId: string | null): string {
  if (trajectoryId === null)
    throw new Problem(vscode.l10n.t("No trajectory is open. Choose one in the Runs view."), {
      title: vscode.l10n.t("Show Runs"),
      command: "touchline.showRuns",
    });
  return trajectoryId;
}
