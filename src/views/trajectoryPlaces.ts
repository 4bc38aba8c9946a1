// Where Trajectory pages live: one view made for the side panel, and any number of editor tabs.
import * as vscode from "vscode";
import type { TrajectoryPage, TrajectoryPageNeeds } from "./trajectoryPage.ts";

/** Id of the view in the side panel; `<id>.focus` is VS Code's command for it. */
export const TRAJECTORY_VIEW = "touchline.trajectory";
/** Type of the editor tabs. */
export const TRAJECTORY_TAB = "touchline.trajectoryTab";

/** All Trajectory pages and which of them the person used last. */
export class TrajectoryPlaces implements vscode.Disposable {
  private readonly needs: TrajectoryPageNeeds;
  private view: { view: vscode.WebviewView; page: TrajectoryPage } | null = null;
  private readonly tabs = new Map<TrajectoryPage, vscode.WebviewPanel>();
  private readonly registrations: vscode.Disposable[];
  private readonly memory: vscode.Memento;
  private active: TrajectoryPage | null = null;
  /** Shown by the view as soon as it opens. */
  private wanted: { trajectoryId: string; reveal: string | null } | null = null;

  constructor(needs: TrajectoryPageNeeds, memory: vscode.Memento) {
    this.needs = needs;
    this.memory = memory;
    const last = memory.get<string>("trajectory.shown");
    if (last !== undefined) this.wanted = { trajectoryId: last, reveal: null };
    this.registrations = [
      vscode.window.registerWebviewViewProvider(TRAJECTORY_VIEW, { resolveWebviewView: (view) => this.resolve(view) }),
      vscode.window.registerWebviewPanelSerializer(TRAJECTORY_TAB, {
        deserializeWebviewPanel: async (panel, state: unknown) => {
          const trajectoryId = idIn(state) ?? memory.get<string>("trajectory.shown") ?? null;
          if (trajectoryId === null) panel.dispose();
          else await this.adopt(panel, trajectoryId, null);
        },
      }),
    ];
  }

  /** The page that keys and commands mean: the one used last, else one that can be seen. */
  get current(): TrajectoryPage | null {
    if (this.active !== null) return this.active;
    return this.view?.page ?? [...this.tabs.keys()].at(-1) ?? null;
  }

  /** A page tells that it has the focus, or lost it; only a focused page takes the single-letter keys. */
  focused(page: TrajectoryPage, hasFocus: boolean): void {
    if (hasFocus) this.active = page;
    if (hasFocus || this.active === page)
      void vscode.commands.executeCommand("setContext", "touchline.trajectoryFocused", hasFocus);
  }

  /** Shows a trajectory in the side panel. */
  async showInSidePanel(trajectoryId: string, reveal: string | null = null, preserveFocus = true): Promise<void> {
    this.remember(trajectoryId);
    this.wanted = { trajectoryId, reveal };
    if (this.view !== null) {
      this.view.page.show(trajectoryId, reveal);
      this.active = this.view.page;
      this.view.view.show(preserveFocus);
    } else await vscode.commands.executeCommand(`${TRAJECTORY_VIEW}.focus`, { preserveFocus });
  }

  /** Shows a trajectory in an editor tab; one that shows it already is brought forward. */
  async showInTab(
    trajectoryId: string,
    title: string,
    column: vscode.ViewColumn,
    reveal: string | null = null,
  ): Promise<void> {
    this.remember(trajectoryId);
    for (const [page, panel] of this.tabs) {
      if (page.trajectoryId !== trajectoryId) continue;
      page.show(trajectoryId, reveal);
      panel.reveal(panel.viewColumn ?? column);
      return;
    }
    const panel = vscode.window.createWebviewPanel(TRAJECTORY_TAB, title, column, { enableFindWidget: true });
    panel.iconPath = vscode.Uri.joinPath(this.needs.extensionUri, "media", "touchline.svg");
    await this.adopt(panel, trajectoryId, reveal);
  }

  dispose(): void {
    for (const registration of this.registrations) registration.dispose();
    this.view?.page.dispose();
    for (const [page, panel] of this.tabs) {
      page.dispose();
      panel.dispose();
    }
  }

  private async resolve(view: vscode.WebviewView): Promise<void> {
    const { TrajectoryPage } = await import("./trajectoryPage.ts");
    const page = new TrajectoryPage(view.webview, () => view.visible, this.needs);
    this.view = { view, page };
    if (this.wanted !== null) page.show(this.wanted.trajectoryId, this.wanted.reveal);
    view.onDidDispose(() => {
      this.forget(page);
      this.view = null;
    });
  }

  private async adopt(panel: vscode.WebviewPanel, trajectoryId: string, reveal: string | null): Promise<void> {
    const { TrajectoryPage } = await import("./trajectoryPage.ts");
    const page = new TrajectoryPage(panel.webview, () => panel.visible, this.needs);
    this.tabs.set(page, panel);
    this.active = page;
    page.show(trajectoryId, reveal);
    panel.onDidDispose(() => {
      this.tabs.delete(page);
      this.forget(page);
    });
  }

  private forget(page: TrajectoryPage): void {
    page.dispose();
    if (this.active !== page) return;
    this.active = null;
    void vscode.commands.executeCommand("setContext", "touchline.trajectoryFocused", false);
  }

  private remember(trajectoryId: string): void {
    void this.memory.update("trajectory.shown", trajectoryId);
    void vscode.commands.executeCommand("setContext", "touchline.hasTrajectory", true);
  }
}

function idIn(state: unknown): string | undefined {
  return typeof state === "object" &&
    state !== null &&
    "trajectoryId" in state &&
    typeof state.trajectoryId === "string"
    ? state.trajectoryId
    : undefined;
}
