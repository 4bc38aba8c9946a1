// A trajectory as a row of a tree: outcome by icon and word, scores in the description.
import * as vscode from "vscode";
import type { Trajectory } from "../protocol/model.ts";
import { unscoredCount } from "../reviewOrder.ts";
import { momentText, outcomeText, scoreText } from "./moments.ts";

/** The row; selecting it opens the trajectory in the side panel. */
export function trajectoryItem(trajectory: Trajectory, details: readonly string[]): vscode.TreeItem {
  const item = new vscode.TreeItem(shortTitle(trajectory.title));
  item.iconPath = outcomeIcon(trajectory);
  // A row is narrow: the reason to read it stands before what the icon says too.
  const words = trajectory.outcome.kind === "unknown" ? details : [...details, outcomeText(trajectory)];
  item.description = words.join(" · ");
  item.tooltip = tooltip(trajectory);
  item.contextValue = "trajectory";
  item.accessibilityInformation = { label: `${trajectory.title}, ${item.description}` };
  item.command = {
    command: "touchline.openTrajectory",
    title: vscode.l10n.t("Open Trajectory"),
    arguments: [trajectory.id],
  };
  return item;
}

/** A side bar has room for about this many characters and a reason behind them; the tooltip has all. */
const TITLE_LENGTH = 26;

function shortTitle(title: string): string {
  const line = title.replaceAll(/\s+/g, " ").trim();
  return line.length <= TITLE_LENGTH ? line : `${line.slice(0, TITLE_LENGTH - 1).trimEnd()}…`;
}

/** Mean and lowest effective score, missing scores and overrides, as short as possible. */
export function scoreDetails(trajectory: Trajectory): string[] {
  const { meanScore, minScore, overrideCount } = trajectory;
  const unscored = unscoredCount(trajectory);
  return [
    ...(meanScore === null ? [] : [vscode.l10n.t("mean {0}, lowest {1}", scoreText(meanScore), scoreText(minScore))]),
    ...(unscored > 0 ? [vscode.l10n.t("{0} unscored", unscored)] : []),
    ...(overrideCount > 0 ? [vscode.l10n.t("{0} overridden", overrideCount)] : []),
  ];
}

function outcomeIcon({ outcome }: Trajectory): vscode.ThemeIcon {
  const icon = (name: string, color?: string) =>
    new vscode.ThemeIcon(name, color === undefined ? undefined : new vscode.ThemeColor(color));
  switch (outcome.kind) {
    case "running":
      return icon("loading~spin");
    case "failed":
      return icon("error", "list.errorForeground");
    case "cancelled":
      return icon("circle-slash");
    case "unknown":
      return icon("question");
    case "completed":
      if (outcome.reward === null) return icon("circle-outline");
      return outcome.reward >= 0.5 ? icon("pass", "testing.iconPassed") : icon("close", "testing.iconFailed");
  }
}

function tooltip(trajectory: Trajectory): vscode.MarkdownString {
  const { task, outcome, agents, actionCount, startedAt, policyVersions } = trajectory;
  // What a model or a file wrote is shown as plain text, never as Markdown.
  const text = new vscode.MarkdownString();
  text.supportHtml = false;
  text.appendText(`${task.problem.slice(0, 600)}\n\n`);
  text.appendText(vscode.l10n.t("{0}: {1} actions by {2}", outcomeText(trajectory), actionCount, agents.join(", ")));
  if (outcome.message !== null) text.appendText(`\n${outcome.message.slice(0, 600)}`);
  const policies = Object.values(policyVersions);
  if (policies.length > 0) text.appendText(`\n${policies.join(", ")}`);
  text.appendText(`\n${momentText(startedAt)}`);
  return text;
}
