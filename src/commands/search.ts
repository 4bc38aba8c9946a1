// Search Actions: a pick whose results come from the trainer as the person types.

import * as vscode from "vscode";
import { errorLine } from "../log.ts";
import { agentTitle } from "../protocol/title.ts";
import { messageFor } from "../report.ts";
import type { Touchline } from "../touchline.ts";
import { openTrajectory } from "./reading.ts";

interface Hit extends vscode.QuickPickItem {
  readonly actionId?: string;
  readonly trajectoryId?: string;
}

const TYPING_PAUSE_MS = 150;

/** Opens the pick; choosing a result shows the action. */
export function searchActions(touchline: Touchline): void {
  const { link, log } = touchline;
  const pick = vscode.window.createQuickPick<Hit>();
  pick.title = vscode.l10n.t("Search Actions");
  pick.placeholder = vscode.l10n.t("Words, “phrases” and prefixes* in texts, thinking, code and output");
  pick.matchOnDescription = false;
  let timer: NodeJS.Timeout | undefined;
  let asked: vscode.CancellationTokenSource | undefined;

  async function search(query: string): Promise<void> {
    asked?.cancel();
    const mine = new vscode.CancellationTokenSource();
    asked = mine;
    if (query.trim() === "") {
      pick.items = [];
      pick.busy = false;
      return;
    }
    pick.busy = true;
    try {
      const { items, next } = await link.request("action/search", { query, limit: 50 }, { cancellation: mine.token });
      if (mine.token.isCancellationRequested) return;
      const hits = items.map(
        (hit): Hit => ({
          label: plain(hit.snippet),
          description: `${agentTitle(hit.agent)} · ${vscode.l10n.t("action {0}", hit.index + 1)}`,
          alwaysShow: true,
          actionId: hit.actionId,
          trajectoryId: hit.trajectoryId,
        }),
      );
      if (next !== null)
        hits.push({
          label: vscode.l10n.t("More than {0} results: add words to narrow them", items.length),
          alwaysShow: true,
        });
      pick.items = hits.length > 0 ? hits : [{ label: vscode.l10n.t("Nothing was found"), alwaysShow: true }];
    } catch (error) {
      if (mine.token.isCancellationRequested) return;
      log.warn(`search: ${errorLine(error)}`);
      pick.items = [{ label: await messageFor(error), alwaysShow: true }];
    } finally {
      if (asked === mine) pick.busy = false;
      mine.dispose();
    }
  }

  pick.onDidChangeValue((value) => {
    clearTimeout(timer);
    timer = setTimeout(() => void search(value), TYPING_PAUSE_MS);
  });
  pick.onDidAccept(() => {
    const hit = pick.selectedItems[0];
    if (hit?.trajectoryId === undefined) return;
    pick.hide();
    void openTrajectory(touchline, hit.trajectoryId, hit.actionId);
  });
  pick.onDidHide(() => {
    clearTimeout(timer);
    asked?.cancel();
    pick.dispose();
  });
  pick.show();
}

/** A snippet in one line; `$(…)` would otherwise be drawn as an icon. */
function plain(snippet: string): string {
  return snippet.replaceAll(/\s+/g, " ").replaceAll("$(", "$\u200b(").trim();
}
