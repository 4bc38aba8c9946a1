// How the connection stands, in words for the pages, the trees and the status bar.
import * as vscode from "vscode";
import type { Connection } from "../protocol/webview.ts";
import { sessionProblem } from "../report.ts";
import type { LinkStatus } from "../trainerLink.ts";

/** One sentence or two: how it stands, what is safe, what to do. */
export function connectionText(status: LinkStatus, queuedOverrides: number): string {
  const label = status.label ?? "";
  switch (status.state) {
    case "none":
      return vscode.l10n.t("Not connected to a trainer.");
    case "connecting":
      return vscode.l10n.t("Connecting to {0}…", label);
    case "connected":
      return vscode.l10n.t("Connected to {0}.", label);
    case "offline":
      return queuedOverrides > 0
        ? vscode.l10n.t(
            "The connection to {0} is lost. {1} overrides wait on this machine and are sent when it is back.",
            label,
            queuedOverrides,
          )
        : vscode.l10n.t(
            "The connection to {0} is lost. Overrides you make now wait on this machine and are sent when it is back.",
            label,
          );
    case "failed":
      return status.problem === null ? vscode.l10n.t("No connection to {0}.", label) : sessionProblem(status.problem);
  }
}

/** Whether the person may change scores now: a trusted workspace, and a bridge that lets this client. */
export function canOverride(status: LinkStatus): boolean {
  return vscode.workspace.isTrusted && (status.capabilities.length === 0 || status.capabilities.includes("override"));
}

/** The connection as pages show it. */
export function connectionForPage(status: LinkStatus, queuedOverrides: number): Connection {
  return {
    state: status.state,
    message: connectionText(status, queuedOverrides),
    queuedOverrides,
    canOverride: canOverride(status),
  };
}
