// Where the Training page lives: one editor tab.
import * as vscode from "vscode";
import type { TrainingPageNeeds } from "./trainingPage.ts";

/** Type of the editor tab. */
export const TRAINING_TAB = "touchline.trainingTab";

/** At most one Training tab; opening it again brings it forward. */
export class TrainingPlace implements vscode.Disposable {
  private readonly needs: TrainingPageNeeds;
  private panel: vscode.WebviewPanel | null = null;
  private readonly registration: vscode.Disposable;

  constructor(needs: TrainingPageNeeds) {
    this.needs = needs;
    this.registration = vscode.window.registerWebviewPanelSerializer(TRAINING_TAB, {
      deserializeWebviewPanel: async (panel) => this.adopt(panel),
    });
  }

  async open(): Promise<void> {
    if (this.panel !== null) {
      this.panel.reveal();
      return;
    }
    const panel = vscode.window.createWebviewPanel(TRAINING_TAB, vscode.l10n.t("Training"), vscode.ViewColumn.Active);
    panel.iconPath = vscode.Uri.joinPath(this.needs.extensionUri, "media", "touchline.svg");
    await this.adopt(panel);
  }

  dispose(): void {
    this.registration.dispose();
    this.panel?.dispose();
  }

  private async adopt(panel: vscode.WebviewPanel): Promise<void> {
    this.panel = panel;
    const { openTrainingPage } = await import("./trainingPage.ts");
    const page = openTrainingPage(panel, this.needs);
    panel.onDidDispose(() => {
      page.dispose();
      this.panel = null;
    });
  }
}
