// Numbers and moments as short words in trees.
import * as vscode from "vscode";
import type { Iteration, Trajectory } from "../protocol/model.ts";

/** A score with at most one decimal; a dash where it is missing. */
export function scoreText(value: number | null): string {
  return value === null ? "–" : String(Math.round(value * 10) / 10);
}

/** A share as a percentage; a dash where there is none. */
export function percent(rate: number | null | undefined): string {
  return rate === null || rate === undefined ? "–" : `${Math.round(rate * 100)}%`;
}

/** A moment in the person's own language and time zone. */
export function momentText(at: string): string {
  return new Date(at).toLocaleString(vscode.env.language, { dateStyle: "medium", timeStyle: "short" });
}

/** The word for an iteration's state. */
export function stateText(state: Iteration["state"]): string {
  const words: Record<Iteration["state"], string> = {
    queued: vscode.l10n.t("queued"),
    sampling: vscode.l10n.t("rollouts"),
    coaching: vscode.l10n.t("coaching"),
    reviewing: vscode.l10n.t("waiting for your review"),
    training: vscode.l10n.t("training"),
    evaluating: vscode.l10n.t("evaluation"),
    done: vscode.l10n.t("done"),
    paused: vscode.l10n.t("paused"),
    cancelled: vscode.l10n.t("cancelled"),
    failed: vscode.l10n.t("failed"),
  };
  return words[state];
}

/** The word for how a rollout ended. */
export function outcomeText({ outcome }: Trajectory): string {
  if (outcome.kind === "completed" && outcome.reward !== null)
    return outcome.reward >= 0.5 ? vscode.l10n.t("success") : vscode.l10n.t("wrong answer");
  const words: Record<typeof outcome.kind, string> = {
    running: vscode.l10n.t("running"),
    completed: vscode.l10n.t("completed"),
    failed: vscode.l10n.t("failed"),
    cancelled: vscode.l10n.t("cancelled"),
    unknown: vscode.l10n.t("outcome unknown"),
  };
  return words[outcome.kind];
}
