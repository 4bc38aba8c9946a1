// The one status bar item: the connection, and the iteration that runs.
import * as vscode from "vscode";
import type { Iteration } from "../protocol/model.ts";
import type { LinkStatus } from "../trainerLink.ts";
import { connectionText } from "./connectionText.ts";
import { stateText } from "./moments.ts";

/** Draws the item anew; what it is told last is what it shows. */
export interface StatusBar extends vscode.Disposable {
  show(status: LinkStatus, iteration: Iteration | null, queuedOverrides: number): void;
}

/** Makes the item; a click opens what helps most. */
export function openStatusBar(): StatusBar {
  const item = vscode.window.createStatusBarItem("touchline.status", vscode.StatusBarAlignment.Left, 10);
  item.name = "Touchline";
  item.show();
  return {
    show(status, iteration, queuedOverrides) {
      const text = vscode.l10n.t("Touchline");
      item.backgroundColor = undefined;
      if (status.state === "connected" && iteration !== null) {
        const isWaiting = iteration.state === "reviewing" || iteration.state === "paused";
        const { done, total } = iteration.progress;
        const progress = !isWaiting && total > 0 ? ` ${done}/${total}` : "";
        item.text = `$(${isWaiting ? "eye" : "sync~spin"}) ${vscode.l10n.t("Iteration {0}: {1}", iteration.index, stateText(iteration.state))}${progress}`;
        item.command = "touchline.openTraining";
      } else {
        item.text = `$(${ICONS[status.state]}) ${text}`;
        item.command = status.state === "connected" ? "touchline.openTraining" : "touchline.connect";
      }
      if (queuedOverrides > 0) item.text += ` $(cloud-upload) ${queuedOverrides}`;
      if (status.state === "offline") item.backgroundColor = new vscode.ThemeColor("statusBarItem.warningBackground");
      if (status.state === "failed") item.backgroundColor = new vscode.ThemeColor("statusBarItem.errorBackground");
      item.tooltip = connectionText(status, queuedOverrides);
      item.accessibilityInformation = { label: `${text}. ${item.tooltip}` };
    },
    dispose: () => item.dispose(),
  };
}

const ICONS: Record<LinkStatus["state"], string> = {
  none: "debug-disconnect",
  connecting: "sync~spin",
  connected: "plug",
  offline: "warning",
  failed: "error",
};
