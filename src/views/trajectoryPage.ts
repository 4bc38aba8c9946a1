// One Trajectory page, in the side panel or in a tab: answers its requests and pushes what happens to the shown trajectory.
import * as vscode from "vscode";
import { errorLine } from "../log.ts";
import type { Overrides } from "../overrides.ts";
import type { Event } from "../protocol/model.ts";
import { type Handlers, ProtocolError } from "../protocol/rpc.ts";
import { trajectoryPageContract } from "../protocol/webview.ts";
import { gatherPushes } from "../pushes.ts";
import type { TrainerLink } from "../trainerLink.ts";
import { connectionForPage } from "./connectionText.ts";
import { pageHtml, pageOptions } from "./page.ts";
import { openPageWire } from "./pageWire.ts";
import { allMarks, imageBlob } from "./trajectoryReads.ts";

/** What a Trajectory page needs of the host. */
export interface TrajectoryPageNeeds {
  readonly extensionUri: vscode.Uri;
  readonly link: TrainerLink;
  readonly overrides: Overrides;
  readonly author: () => Promise<string>;
  readonly blindFirst: () => boolean;
  readonly log: vscode.LogOutputChannel;
  /** Runs a command that pages may run; `from` is the page. */
  readonly runCommand: (command: string, from: TrajectoryPage) => Promise<void>;
  readonly openField: (actionId: string, field: string) => Promise<void>;
  readonly neighbour: (trajectoryId: string, direction: "previous" | "next") => string | null;
}

/** A page in a place VS Code gave it; `isVisible` says whether messages reach it. */
export class TrajectoryPage implements vscode.Disposable {
  private readonly needs: TrajectoryPageNeeds;
  private readonly isVisible: () => boolean;
  private readonly wire: ReturnType<typeof openPageWire<typeof trajectoryPageContract>>;
  private readonly pushes: ReturnType<typeof gatherPushes<Event>>;
  private readonly endings: { dispose(): void }[] = [];
  private shown: { trajectoryId: string; reveal: string | null } | null = null;
  private isReady = false;
  /** Asked while there was no connection: asks again when there is one. */
  private isAnsweredEmpty = false;

  constructor(webview: vscode.Webview, isVisible: () => boolean, needs: TrajectoryPageNeeds) {
    this.needs = needs;
    this.isVisible = isVisible;
    const { link, overrides, log, extensionUri } = needs;
    this.wire = openPageWire(webview, trajectoryPageContract, this.handlers(), log);
    this.pushes = gatherPushes(
      (events) => this.push(() => this.wire.tell("event/batch", { events })),
      () => this.showAgain(),
    );
    this.endings.push(
      this.wire,
      this.pushes,
      link.onEvents((events) => {
        if (this.isListening()) this.pushes.add(events.filter((event) => this.concerns(event)));
      }),
      link.onStatus(({ state }) => {
        this.push(() => this.wire.tell("connection/changed", this.connection()));
        if (state === "connected" && this.isAnsweredEmpty) this.showAgain();
      }),
      link.onSnapshot(() => this.showAgain()),
      overrides.onChange(() => {
        this.push(() => this.wire.tell("queue/changed", { queued: this.queued() }));
        this.push(() => this.wire.tell("connection/changed", this.connection()));
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() =>
        this.push(() => this.wire.tell("connection/changed", this.connection())),
      ),
    );
    webview.options = pageOptions(extensionUri);
    webview.html = pageHtml(webview, extensionUri, "trajectory");
  }

  get trajectoryId(): string | null {
    return this.shown?.trajectoryId ?? null;
  }

  /** The page has asked for its snapshot: it stands. */
  get isDrawn(): boolean {
    return this.isReady;
  }

  /** Shows a trajectory, and brings one of its actions into view if asked. */
  show(trajectoryId: string, reveal: string | null = null): void {
    const isSame = this.shown?.trajectoryId === trajectoryId;
    this.shown = { trajectoryId, reveal };
    if (!isSame) this.push(() => this.wire.tell("trajectory/shown", { trajectoryId }));
    else if (reveal !== null) this.push(() => this.wire.tell("action/reveal", { actionId: reveal }));
  }

  /** Hands a contributed keybinding to the page. */
  press(key: string): void {
    this.push(() => this.wire.tell("key/pressed", { key }));
  }

  dispose(): void {
    for (const ending of this.endings.splice(0)) ending.dispose();
  }

  private showAgain(): void {
    const trajectoryId = this.trajectoryId;
    this.push(() => this.wire.tell("trajectory/shown", { trajectoryId }));
  }

  private isListening(): boolean {
    return this.isReady && this.isVisible();
  }

  /** A page that is hidden, or not there yet, gets nothing: it asks for all of it when it is ready. */
  private push(tell: () => Promise<void>): void {
    if (!this.isListening()) return;
    tell().catch((error: unknown) => this.needs.log.debug(`page: ${errorLine(error)}`));
  }

  private concerns(event: Event): boolean {
    switch (event.kind) {
      case "trajectory/changed":
        return event.data.id === this.trajectoryId;
      case "action/added":
      case "score/added":
        return event.data.trajectoryId === this.trajectoryId;
      case "iteration/changed":
      case "checkpoint/published":
        // They move the fates of overrides.
        return event.kind === "checkpoint/published" || ["done", "failed", "cancelled"].includes(event.data.state);
      default:
        return false;
    }
  }

  private connection() {
    return connectionForPage(this.needs.link.status, this.needs.overrides.waiting().length);
  }

  private queued() {
    return this.trajectoryId === null ? [] : this.needs.overrides.waiting(this.trajectoryId);
  }

  private require(): string {
    if (this.trajectoryId === null) throw new ProtocolError(-32004, vscode.l10n.t("No trajectory is shown."));
    return this.trajectoryId;
  }

  private requireTrust(): void {
    if (!vscode.workspace.isTrusted)
      throw new ProtocolError(
        -32006,
        vscode.l10n.t(
          "Overrides wait for trust in this workspace. Reading works. Trust it by “Workspaces: Manage Workspace Trust”.",
        ),
      );
  }

  private handlers(): Handlers<typeof trajectoryPageContract> {
    const { link, overrides, author, blindFirst } = this.needs;
    return {
      "page/ready": async () => {
        this.isReady = true;
        const shown = this.shown;
        const reveal = shown?.reveal ?? null;
        if (shown !== null) this.shown = { ...shown, reveal: null };
        const about = {
          connection: this.connection(),
          queued: this.queued(),
          author: await author(),
          blindFirst: blindFirst(),
          reveal,
        };
        this.isAnsweredEmpty = shown !== null && link.status.state !== "connected";
        if (shown === null || this.isAnsweredEmpty) return { ...about, trajectory: null, marks: [], fates: [] };
        const { trajectoryId } = shown;
        const [trajectory, marks, { fates }] = await Promise.all([
          link.request("trajectory/get", { trajectoryId }),
          allMarks(link, trajectoryId),
          link.request("override/fates", { trajectoryId }),
        ]);
        return { ...about, trajectory, marks, fates };
      },
      "marks/get": ({ fromIndex }) => link.request("trajectory/marks", { trajectoryId: this.require(), fromIndex }),
      "action/list": ({ fromIndex, limit }) =>
        link.request("action/list", { trajectoryId: this.require(), fromIndex, limit }),
      "action/text": (params) => link.request("action/text", params),
      "override/set": async ({ actionId, value, rationale, basedOn }) => {
        this.requireTrust();
        return overrides.set({
          actionId,
          trajectoryId: this.require(),
          value,
          rationale,
          basedOn,
          author: await author(),
        });
      },
      "override/undo": async ({ actionId, basedOn }) => {
        this.requireTrust();
        return { score: await overrides.undo(actionId, basedOn, await author()) };
      },
      "override/resolve": async ({ requestId, keep }) => {
        this.requireTrust();
        return { score: await overrides.resolve(requestId, keep) };
      },
      "override/preview": (params) => link.request("override/preview", params),
      "fates/get": () => link.request("override/fates", { trajectoryId: this.require() }),
      "blob/get": ({ sha256 }) => imageBlob(link, sha256),
      "action/open": async ({ actionId, field }) => {
        await this.needs.openField(actionId, field);
        return {};
      },
      "trajectory/go": ({ direction }) => {
        const next = this.trajectoryId === null ? null : this.needs.neighbour(this.trajectoryId, direction);
        if (next !== null) this.show(next);
        return {};
      },
      "command/run": async ({ command }) => {
        await this.needs.runCommand(command, this);
        return {};
      },
    };
  }
}
